import type { GateReport } from '../../gates/gate.ts';
import { byUrgency, gateCount, gateDemand, gateFinding } from '../../gates/words.ts';
import type { Report } from '../../report.ts';
import { html } from '../html.ts';
import { table } from '../table.ts';
import type { Section } from './section.ts';

/** The limits that the file sets, failed ones first. */
export const gatesSection = ({ gates }: Report): Section | null =>
  gates.length === 0
    ? null
    : {
        id: 'gates',
        title: 'Gates',
        body: html`<p>${gateCount(gates)}.</p>${table<GateReport>(
          [
            { title: 'gate', cell: gateDemand },
            { title: 'outcome', text: true, cell: ({ outcome }) => outcome },
            { title: 'found', text: true, cell: gateFinding },
            { title: 'why', text: true, cell: ({ reason }) => reason },
          ],
          byUrgency(gates),
          'Gates',
          { strong: ({ outcome }) => outcome === 'failed' },
        )}`,
      };
