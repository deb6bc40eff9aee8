import type { LatencyReport, MeasuredOn, Report, StageReport } from './report.ts';

/** The engine behind figures without a name: undefined for the CPU of the environment. */
export const firstEngine = ({ measurement }: Pick<Report, 'measurement'>): MeasuredOn | undefined => measurement?.on;

/** Engines that have columns of their own. */
export const otherEngines = ({ measurement }: Pick<Report, 'measurement'>): readonly MeasuredOn[] =>
  (measurement?.otherEngines ?? []).map(({ on }) => on);

/** A stage's latencies on an engine that has columns of its own. */
export const latencyOn = ({ otherEngines: others }: StageReport, engine: string): readonly LatencyReport[] =>
  others?.find((other) => other.engine === engine)?.latency ?? [];

/** What a run hands over and waits for. */
export const isDevice = ({ engine }: MeasuredOn): boolean => engine !== 'cpu';

/** "webgpu (NVIDIA H200, driver 570.86)". */
export const engineText = ({ engine, device, driver }: MeasuredOn): string =>
  `${engine} (${device}${driver === undefined ? '' : `, driver ${driver}`})`;

const noKernel = (engine: string, lacking: readonly string[]): string =>
  `it was not timed on ${engine}, which has no kernel for ${lacking.join(', ')}`;

/** Why a stage has no figure on the first engine; undefined where it is not for want of kernels. */
export const lackingOnFirst = ({ lacking }: StageReport, report: Pick<Report, 'measurement'>): string | undefined =>
  lacking === undefined ? undefined : noKernel(firstEngine(report)?.engine ?? '', lacking);

/** Why a stage has no figure on an engine, a note each. */
export const lackingNotes = (stage: StageReport, report: Pick<Report, 'measurement'>): readonly string[] => [
  ...[lackingOnFirst(stage, report)].filter((note) => note !== undefined),
  ...(stage.otherEngines ?? []).flatMap((other) =>
    other.lacking === undefined ? [] : [noKernel(other.engine, other.lacking)],
  ),
];

/** What is to be known of figures of several engines, or of another one than the CPU; undefined for the CPU alone. */
export const enginesCaption = (report: Pick<Report, 'measurement'>): string | undefined => {
  const [first, others] = [firstEngine(report), otherEngines(report)];
  const devices = [...(first === undefined ? [] : [first]), ...others].filter(isDevice);
  const beside =
    others.length === 0 ? [] : [`beside it on ${others.map(engineText).join(' and ')}, paired within each`];
  const names = devices.map(({ engine }) => engine).join(' and ');
  const clock =
    devices.length === 0
      ? []
      : [`times on ${names} hold the way to the device and back, and what else it computed meanwhile is not known`];
  const said = [...beside, ...clock];
  return said.length === 0 ? undefined : said.join('; ');
};
