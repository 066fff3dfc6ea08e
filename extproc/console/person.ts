/** Who uses the console or its API, and as what they are known to policy, looks and tickets. */
import type { Approver } from '../approvals/ticket.ts';
import type { Identity } from '../exchange/identity.ts';
import type { LookingPerson } from '../looks/operator.ts';
import type { ConsoleInput } from '../policy/console.ts';

/**
 * @property via by the pages, or by the API with a token
 * @property address where they came from
 * @property authenticatedMs when they last proved who they are, where the identity provider said so
 */
export type Person = {
  identity: Identity;
  via: 'console' | 'api';
  address: string;
  authenticatedMs: number | null;
};

const nameMaxChars = 256;

/** What they are called; a claim that proves nothing. */
export function nameOf({ email, name, subject }: Pick<Identity, 'email' | 'name' | 'subject'>): string {
  return (email || name || subject).slice(0, nameMaxChars);
}

export function lookingPerson({ identity, address, authenticatedMs }: Person): LookingPerson {
  const { issuer, subject } = identity;
  return { issuer, subject, name: nameOf(identity), address, authenticatedMs };
}

export function approverOf({ identity, via, address, authenticatedMs }: Person): Approver {
  const { issuer, subject } = identity;
  return { kind: 'person', issuer, subject, name: nameOf(identity), via, address, authenticatedMs };
}

/** @param homeIssuer whose groups are meant where policy does not say whose */
export function operatorOf({ identity }: Person, homeIssuer: string): ConsoleInput['operator'] {
  const { issuer, subject, groups } = identity;
  return { kind: 'person', name: nameOf(identity), uid: -1, groups, issuer, subject, home_issuer: homeIssuer };
}
