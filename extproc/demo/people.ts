/** Who the demo identity provider knows. */
export const people = [
  { subject: 'alice', name: 'Alice Ames', email: 'alice@example.com', groups: ['research'] },
  { subject: 'bob', name: 'Bob Brown', email: 'bob@example.com', groups: ['support'] },
  { subject: 'grace', name: 'Grace Gray', email: 'grace@example.com', groups: ['security'] },
  { subject: 'sam', name: 'Sam Stone', email: 'sam@example.com', groups: ['security'] },
  { subject: 'mallory', name: 'Mallory Mock', email: 'mallory@example.com', groups: ['suspended'] },
] as const satisfies readonly { subject: string; name: string; email: string; groups: readonly string[] }[];
