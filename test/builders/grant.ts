import type { Actor, GrantTerms, Wanted } from '../../extproc/grants/grant.ts';
import type { Asking } from '../../extproc/grants/grants.ts';

export const minute = 60_000;

const issuer = 'https://idp.example.com';

export function actor(name: string): Actor {
  const uid = 1_000 + [...name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 0);
  return { name, uid, person: { issuer, subject: name } };
}

type Changes = Partial<Omit<Asking, 'wanted' | 'terms'>> & { wanted?: Partial<Wanted>; terms?: Partial<GrantTerms> };

/** Ada asks for access to a connection for two hours: the same as any other of these but for `changes`. */
export function asking({ wanted, terms, ...changes }: Changes = {}): Asking {
  const holder = { issuer, subject: 'ada', name: 'Ada', email: 'ada@example.com' };
  return {
    ...{ by: actor('ada'), reason: 'the release is on Friday' },
    ...changes,
    wanted: {
      ...{ kind: 'access', holder, connection: 'claude', skill: null, model: null, forMs: 120 * minute },
      ...wanted,
    },
    terms: { ...{ quorum: 1, openMs: 60 * minute, grantMaxMs: 240 * minute, approvers: [] }, ...terms },
  };
}
