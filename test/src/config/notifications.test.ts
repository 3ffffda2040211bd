import { describe, expect, test } from 'vitest';
import { loadConfiguration } from '../../../src/config/load.js';
import { ConfigError } from '../../../src/config/problem.js';
import { scratchFolder } from '../../support/scratch-folder.js';

/** A configuration whose group, transport and rest say that about notifications (YAML). */
function load({ group = '', transport = '', rest = '' }) {
  return loadConfiguration(
    scratchFolder({
      'smtpd.yaml': 'version: "6.8"\nservers: [{ id: in, listeners: [{ address: 127.0.0.1, port: 0 }] }]\n',
      'smtpd-app.yaml': `version: "6.8"
servers: [{ id: in, transport: out }]
transportgroups:
  - id: g
    ${group}
    transports:
      - id: out
        connection: { server: 127.0.0.1 }
        ${transport}
      - id: reports
        connection: { server: 127.0.0.1 }
        dsn: { transport: reports }
${rest}`,
    }),
  );
}

function problemOf(settings: Parameters<typeof load>[0]): string {
  try {
    load(settings);
    return 'no problem';
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
}

describe('what a transport says of its notifications', () => {
  test('holds for the group unless the transport says otherwise', () => {
    const { running, warnings } = load({
      group: 'dsn: { transport: reports, from: Example Mail <post@example.com>, subject: Zurück }',
      transport: 'dsn: { subject: Returned }',
    });
    expect(running.transports.get('out')).toMatchObject({
      dsnTransportId: 'reports',
      dsnFrom: { address: { localPart: 'post', domain: 'example.com' }, name: 'Example Mail' },
      dsnSubject: 'Returned',
    });
    expect(running.transports.get('reports')).toMatchObject({
      dsnSubject: Buffer.from('Zurück', 'utf8').toString('latin1'),
    });
    expect(warnings).toEqual([]);
  });

  test('may be an address alone', () => {
    const { running } = load({ group: 'dsn: { transport: out, from: post@example.com }' });
    expect(running.transports.get('out')!.dsnFrom).toEqual({
      address: { localPart: 'post', domain: 'example.com' },
    });
  });

  test.each(['nobody', '', 'a@b.test, c@d.test', 'Name <>'])('is refused when From is %j', (from) => {
    expect(problemOf({ group: `dsn: { transport: out, from: ${JSON.stringify(from)} }` })).toContain(
      'expected an address such as postmaster@example.com',
    );
  });

  test('is missing with a warning that says what happens', () => {
    expect(load({}).warnings.map(({ message }) => message)).toEqual([
      'transport "out" has no dsn.transport: mail that cannot be delivered is deleted, and its senders are not told',
    ]);
  });
});

describe('the postmaster', () => {
  test('has an address, and every server knows it', () => {
    const postmaster = { localPart: 'root', domain: 'example.com' };
    const { running } = load({
      group: 'dsn: { transport: reports }',
      rest: 'postmaster: { address: root@example.com }',
    });
    expect(running.postmaster).toEqual(postmaster);
    expect(running.servers[0]!.postmaster).toEqual(postmaster);
  });

  test('without an address that is one is refused', () => {
    expect(problemOf({ rest: 'postmaster: { address: root }' })).toContain(
      '"root" is no address; expected local@domain',
    );
  });

  test('need not be there', () => {
    expect(load({ rest: 'postmaster: {}' }).running.postmaster).toBeUndefined();
  });
});
