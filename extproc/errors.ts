/** Every way skilltape itself can fail; a closed set, so that callers can switch on it. */
export type ErrorCode =
  | 'config_invalid'
  | 'tool_missing'
  | 'journal_full'
  | 'journal_poisoned'
  | 'journal_corrupt'
  | 'journal_closed'
  | 'archive_failed'
  | 'archive_corrupt'
  | 'disk_failed'
  | 'key_invalid'
  | 'policy_invalid'
  | 'policy_failed'
  | 'approval_failed'
  | 'masking_failed'
  | 'index_failed'
  | 'look_failed'
  | 'protocol_violation'
  | 'not_found'
  | 'usage'
  | 'internal';

/** An error with a code for programs, a message for operators, and, where there is one, the remedy. */
export class SkilltapeError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string | undefined;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; remedy?: string } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'SkilltapeError';
    this.code = code;
    this.remedy = options.remedy;
  }

  /** The one funnel for what libraries throw: opa-wasm throws bare strings and plain objects. */
  static from(thrown: unknown, code: ErrorCode = 'internal'): SkilltapeError {
    if (thrown instanceof SkilltapeError) return thrown;
    if (thrown instanceof Error) return new SkilltapeError(code, thrown.message, { cause: thrown });
    const message = typeof thrown === 'string' ? thrown : (JSON.stringify(thrown) ?? String(thrown));
    return new SkilltapeError(code, message, { cause: thrown });
  }
}
