/** How one document is masked: the decision of policy `record` in the masker's words. */
import { type FindingType, findingTypes, plainTypes } from '../masking/finding.ts';
import type { OwnDetection } from '../masking/own-detection.ts';
import { type Treatment, treatmentFor, usualTypesWith } from '../masking/treatment.ts';
import type { MaskedField, MaskingDecision, TokenScope } from '../policy/masking-decision.ts';
import type { ExchangeDocument } from './document.ts';

type Path = readonly (string | number)[];

export type DocumentTreatment = {
  treatment: Treatment;
  /** Another one for fields that are kept whole; left out where there are none. */
  treatmentAt?: (path: Path) => Treatment | undefined;
};

const onlySecrets: readonly FindingType[] = ['SECRET', 'PEM'];
const stepsToField = 2;

/** What a field is called in a document. */
const names: Readonly<Record<MaskedField, string>> = {
  system: 'system',
  tools: 'tools',
  messages: 'new_messages',
  answer: 'answer',
  error: 'error',
};

export function treatmentOf(
  draft: ExchangeDocument,
  masking: MaskingDecision,
  detection: OwnDetection,
): DocumentTreatment {
  const types = new Set<FindingType>([...usualTypesWith(detection), ...masking.on]);
  for (const type of masking.off) types.delete(type);
  const tokens = { plain: new Set(masking.plain), scopes: scopesOf(draft, masking) };
  const treatment = treatmentFor(types, tokens, detection);
  if (masking.whole.length === 0) return { treatment };
  const inWhole = treatmentFor(new Set(onlySecrets.filter((type) => types.has(type))), tokens, detection);
  const whole = new Set<string | number | undefined>(masking.whole.map((field) => names[field]));
  return {
    treatment,
    treatmentAt: (path) =>
      path.length === stepsToField && path[0] === 'skilltape' && whole.has(path[1]) ? inWhole : undefined,
  };
}

/** Types whose values may be turned back: as shipped all that have a hash, but no secret. */
export function revealableTypes(
  { reveal = [], no_reveal = [], plain }: MaskingDecision,
  { types: own, plain: ownPlain }: OwnDetection,
): ReadonlySet<FindingType> {
  const hashed = [
    ...findingTypes.filter((type) => !plainTypes.has(type)),
    ...own.filter((type) => !ownPlain.has(type)),
  ];
  const types = new Set<FindingType>([...hashed, ...reveal]);
  for (const type of onlySecrets) if (!reveal.some((asked) => asked === type)) types.delete(type);
  for (const type of [...no_reveal, ...plain]) types.delete(type);
  return types;
}

/** Types that stay readable in all of a document, for whoever reads it. */
export function readableTypes({ off, on }: MaskingDecision, detection: OwnDetection): FindingType[] {
  const usual = usualTypesWith(detection);
  return off.filter((type) => usual.has(type) && !on.includes(type));
}

/** Nobody else is known to be the same as somebody without an identity, so such an exchange keeps its session. */
function scopesOf({ user, skilltape }: ExchangeDocument, { scopes }: MaskingDecision): Map<FindingType, string> {
  const named: Record<TokenScope, readonly string[] | null> = {
    session: null,
    identity: user === null ? null : [user.domain, user.id],
    connection: [skilltape.connection],
    all: [],
  };
  return new Map(
    Object.entries(scopes).flatMap(([type, scope]) => {
      const name = scope === undefined ? null : named[scope];
      // A session's id has no brackets, so no session is within a scope of another kind.
      return name === null ? [] : [[type as FindingType, JSON.stringify([scope, ...name])] as const];
    }),
  );
}
