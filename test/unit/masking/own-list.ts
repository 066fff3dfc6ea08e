import type { DetectorList, NameList, OwnRule } from '../../../extproc/masking/detector-list.ts';

export function ownRule(more: Partial<OwnRule> = {}): OwnRule {
  const examples = { positive: ['see TCK-12345 there'], negative: ['see TCK-1 there'] };
  return { id: 'ticket', type: 'TICKET', pattern: '\\bTCK-[0-9]{5}\\b', ...examples, ...more };
}

export function ownNames(entries: readonly string[], more: Partial<NameList> = {}): NameList {
  return { id: 'customers', type: 'CUSTOMER', entries, ...more };
}

export function ownList(more: Partial<DetectorList> = {}): DetectorList {
  return { rules: [], names: [], hashed_types: [], ...more };
}
