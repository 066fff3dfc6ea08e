/** The people that the identity provider knows, and what its tokens say about them. */

export type User = {
  /** The `sub` of the tokens. */
  readonly subject: string;
  readonly name: string;
  readonly email: string;
  readonly groups: readonly string[];
};

/** The claims beside the subject; none for a subject that is not known. */
export function claimsOf(users: readonly User[], subject: string): Record<string, unknown> {
  const user = users.find((candidate) => candidate.subject === subject);
  return user === undefined ? {} : { name: user.name, email: user.email, groups: [...user.groups] };
}
