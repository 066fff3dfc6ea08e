/** What the programs of this folder are told in their environment, and what each prints as its only line. */

export type Asked = { baseUrl: string; token: string; prompt: string; streams: boolean; variant: string };

/** `error` in the words that the client's user would see. */
export type Told = {
  attempts: number;
  message: { stop_reason: string | null; content: { type: string; text?: string }[] } | null;
  error: string | null;
};

const variable = 'HELD_CLIENT';

export function environmentOf(asked: Asked): Record<string, string> {
  return { [variable]: JSON.stringify(asked) };
}

export function askedOf(environment: NodeJS.ProcessEnv): Asked {
  return JSON.parse(environment[variable] ?? '') as Asked;
}

export function tell(told: Told): void {
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
