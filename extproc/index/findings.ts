import type { ExchangeDocument } from '../transcript/document.ts';

/** The types of what was masked in a document, each once: one stands there for each place. */
export function maskedTypes({ skilltape }: ExchangeDocument): string[] {
  return [...new Set(skilltape.masking.findings.map(({ type }) => type))];
}

/** The first documents said neither where something was found, nor why masking failed, nor that policy had a say; changes what was read. */
export function fillMasking(masking: unknown): void {
  if (!isObject(masking)) return;
  if (!Object.hasOwn(masking, 'reason')) masking.reason = '';
  for (const name of ['readable', 'whole', 'dropped']) if (!Object.hasOwn(masking, name)) masking[name] = [];
  if (!Array.isArray(masking.findings)) return;
  masking.findings = masking.findings.map((finding: unknown) => {
    if (!isObject(finding) || Object.hasOwn(finding, 'place')) return finding;
    const { count, ...type } = finding;
    return { ...type, place: '', count };
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Documents of before rules could be observed, or lifted by grants; changes what was read. */
export function fillVerdict(verdict: unknown): void {
  if (!isObject(verdict)) return;
  if (!Object.hasOwn(verdict, 'would')) verdict.would = null;
  if (!Object.hasOwn(verdict, 'would_reasons')) verdict.would_reasons = [];
  if (Object.hasOwn(verdict, 'lifted')) return;
  Object.assign(verdict, { lifted: null, lifted_reasons: [], lifted_grants: [], lifted_by: [], lifted_why: [] });
}
