import Type from 'typebox';
import { strict, text } from './types.js';

// Keys and certificates, in smtpd.yaml and smtpd-app.yaml alike (queue-and-config 8.3, 8.4).

/** Nothing of it is ever shown in a message. */
export const privateKey = Type.Object(
  {
    path: Type.Optional(text('A file with the key in PEM, without a passphrase.')),
    data: Type.Optional(Type.String({ secret: true, description: 'The key in PEM, without a passphrase.' })),
  },
  { additionalProperties: false, secret: true, description: 'The key: a file, or the text itself.' },
);

/** A text in PEM that is no secret. */
export const pemText = (what: string) =>
  strict(
    {
      path: Type.Optional(text(`A file with ${what} in PEM.`)),
      data: Type.Optional(text(`The text of ${what} in PEM.`)),
    },
    `A file, or the text itself, with ${what}.`,
  );

const privateEntry = strict({
  id: text('Id by which scripts (`pki:ID`) and settings name the key.'),
  privatekey: Type.Optional(privateKey),
  certificate: Type.Optional(pemText('the certificate and those that vouch for it')),
});

/** The list of private keys. */
export const privateKeys = Type.Optional(
  Type.Array(privateEntry, {
    description:
      'Private keys. Key and certificate of an id may stand in different files: the key in smtpd.yaml, for example.',
  }),
);

/** The list of authorities. */
export const authorities = Type.Optional(
  Type.Array(
    strict({
      id: text('Id by which scripts (`pki:ID`) and settings name the authorities.'),
      certificate: pemText('their certificates'),
    }),
    { description: 'Certificates of authorities that are trusted where their id is named.' },
  ),
);
