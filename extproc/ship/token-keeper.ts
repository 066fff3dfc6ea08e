/** What becomes of the values behind the tokens of an exchange: they are kept sealed, as far as policy says. */
import type { FindingType } from '../masking/finding.ts';
import type { OwnDetection } from '../masking/own-detection.ts';
import type { OnToken } from '../masking/text-masking.ts';
import type { RecordDecision } from '../policy/decision.ts';
import type { Transcript } from '../transcript/transcript.ts';
import { revealableTypes } from '../transcript/treatment.ts';

/** Values by token. `person` is null for an exchange without identity. */
export type KeptTokens = {
  session: string;
  person: { issuer: string; subject: string } | null;
  retentionClass: string;
  values: ReadonlyMap<string, string>;
};

/** Where sealed values go. */
export type TokenKeeper = {
  /** Never rejects: an exchange is indexed whether or not its values could be kept. */
  keep: (tokens: readonly KeptTokens[]) => Promise<void>;
};

/** A longer value (the body of a key, a whole document taken for one) is not kept. */
const valueMaxChars = 4_096;
/** Of one exchange the first so many are kept. */
const valuesMax = 10_000;

/** Null where policy keeps metadata alone: then no value is kept either. */
export function tokenSink(
  { exchangeId, started, decided }: Transcript,
  { keep, retention_class: retentionClass, masking }: Pick<RecordDecision, 'keep' | 'retention_class' | 'masking'>,
  detection: OwnDetection,
): { onToken: OnToken; kept: KeptTokens } | null {
  if (keep !== 'full') return null;
  const { identity } = started;
  const types: ReadonlySet<FindingType> = revealableTypes(masking, detection);
  const values = new Map<string, string>();
  return {
    onToken: (type, value, token) => {
      if (types.has(type) && value.length <= valueMaxChars && values.size < valuesMax && !values.has(token))
        values.set(token, value);
    },
    kept: {
      session: decided?.session?.id ?? exchangeId,
      person: identity === null ? null : { issuer: identity.issuer, subject: identity.subject },
      retentionClass,
      values,
    },
  };
}
