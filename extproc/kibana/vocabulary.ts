import type { DocumentAction, ExchangeDocument } from '../transcript/document.ts';

/** Values of fields that queries name; one that is renamed in the document stops compiling here. */
type Decision = ExchangeDocument['skilltape']['verdict']['decision'];

/** The decisions with which nothing reached the upstream. */
export const stopped = ['deny', 'hold'] as const satisfies readonly Decision[];

export const wholeExchange = ['exchange'] as const satisfies readonly DocumentAction[];

export const lastWeek = { from: 'now-7d', to: 'now' } as const;
