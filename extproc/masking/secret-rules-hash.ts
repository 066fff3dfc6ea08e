import type { SecretRule } from './secret-rule.ts';

const rest = '[./A-Za-z0-9]';

/** Passwords as they are stored: who has the hash can guess for as long as it takes. In the form of crypt(5) and its kin. */
export const hashSecretRules: readonly SecretRule[] = [
  {
    id: 'bcrypt',
    prefixes: ['$2a$', '$2b$', '$2x$', '$2y$'],
    pattern: `\\$2[abxy]\\$\\d\\d\\$${rest}{50}`,
    tail: './',
    hit: ['$2b$12$<a53>', '$2y$10$<a53>'],
    miss: ['$2b$12$short', 'costs 2a$ or $2a$ more'],
  },
  {
    id: 'unix-crypt',
    prefixes: [':', '"', "'", '=', ' '].flatMap((before) =>
      ['1', '5', '6', 'y', 'apr1'].map((kind) => `${before}$${kind}$`),
    ),
    pattern: `[:"'= ](\\$(?:[156y]|apr1)\\$(?:rounds=\\d{1,9}\\$|[./A-Za-z0-9]{1,6}\\$)?${rest}{1,64}\\$${rest}{22})`,
    valueOnly: true,
    tail: './',
    hit: [
      ...[
        ':$6$<a12>$<a86>',
        '=$1$<a4>$<a22>',
        ':$apr1$<a8>$<a22>',
        '"$6$rounds=5000$<a16>$<a86>',
        ' $y$j9T$<a22>$<a43>',
      ],
    ],
    miss: ['="$1$2$3"', 'awk {print $1$2}'],
  },
  {
    id: 'argon2',
    prefixes: ['$argon2'],
    pattern:
      '\\$argon2(?:id|i|d)\\$(?:v=\\d{1,4}\\$)?m=\\d{1,10},t=\\d{1,6},p=\\d{1,4}\\$[A-Za-z0-9+/]{8,64}\\$[A-Za-z0-9+/]{16}',
    tail: '+/=',
    hit: ['$argon2id$v=19$m=65536,t=3,p=4$<a22>$<a43>'],
    miss: ['$argon2id$v=19$'],
  },
  {
    id: 'pbkdf2',
    prefixes: ['pbkdf2_sha', 'pbkdf2:sha', 'scrypt:', '$pbkdf2-'],
    pattern:
      '\\$?(?:pbkdf2[_:-]sha\\d{1,3}|scrypt)[:$]\\d{1,9}(?::\\d{1,4}:\\d{1,4})?\\$[A-Za-z0-9+/.]{4,64}\\$[A-Za-z0-9+/.]{20}',
    fresh: true,
    tail: '+/=.',
    hit: ['pbkdf2_sha256$390000$<a22>$<a43>=', 'scrypt:32768:8:1$<a16>$<h128>', 'pbkdf2:sha256:600000$<a16>$<h64>'],
    miss: ['pbkdf2_sha256$390000'],
  },
];
