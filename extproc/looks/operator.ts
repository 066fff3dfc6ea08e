import { userInfo } from 'node:os';

/**
 * Who sits at the command line, as the operating system knows them. `sudoUser` is what sudo says of who called it;
 * the environment can be set by anyone, so it is a hint beside `uid`, never instead of it.
 */
export type Operator = {
  osUser: string;
  uid: number;
  sudoUser?: string | undefined;
};

/**
 * Who looks by the console or its API, by their token. `name` is for people; `address` is where they came from,
 * `authenticatedMs` when they last proved who they are, where the identity provider said so.
 */
export type LookingPerson = {
  issuer: string;
  subject: string;
  name: string;
  address: string;
  authenticatedMs: number | null;
};

const nameMaxLength = 256;

export function currentOperator(environment: NodeJS.ProcessEnv = process.env): Operator {
  const sudoUser = environment.SUDO_USER?.slice(0, nameMaxLength);
  return { ...accountOf(), ...(sudoUser ? { sudoUser } : {}) };
}

function accountOf(): { osUser: string; uid: number } {
  try {
    const { username, uid } = userInfo();
    return { osUser: username, uid };
  } catch {
    // A container may run under a uid that has no account.
    const uid = process.getuid?.() ?? -1;
    return { osUser: `uid ${uid}`, uid };
  }
}
