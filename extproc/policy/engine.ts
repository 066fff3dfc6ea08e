/** Evaluates a compiled policy in this process, and denies whenever it gives no decision that can be read (inv. 2). */
import { createRequire } from 'node:module';
import type { z } from 'zod';
import { SkilltapeError } from '../errors.ts';
import { entrypointOf, type PolicyBundle, type Stage, stages } from './bundle.ts';
import { type ConsoleDecision, type ConsoleInput, consoleDecision, consoleDenialFor } from './console.ts';
import {
  type AccessDecision,
  denialFor,
  type PolicyFault,
  type RecordDecision,
  type RequestDecision,
  recordDecisionFor,
  recordFor,
  verdictDecision,
} from './decision.ts';
import type { AccessInput, RecordInput, RequestInput } from './input.ts';
import { isInputTooLarge } from './input-size.ts';
import { type Seeing, seeingBy } from './look.ts';
import { type PrivacyDecision, unjudgedPrivacy } from './privacy-decision.ts';
import { quietReasons } from './quiet-reasons.ts';
import { typeNamesWith } from './type-name.ts';
import { VerdictMemory } from './verdict-memory.ts';

/** What is used of an instance of a module. */
type LoadedPolicy = {
  evaluate(input: ArrayBuffer, entrypoint: string): unknown;
  setData(data: object): void;
  readonly mem: { readonly buffer: ArrayBuffer };
  readonly entrypoints: object;
  readonly wasmInstance: { readonly exports: Record<string, (...args: number[]) => number> };
};
type Memory = { initial: number; maximum: number };

// The ES module of the package leaves loadPolicySync out; a broken instance must be replaced before the next decision.
const opaWasm: { loadPolicySync(wasm: Uint8Array, memory: Memory): LoadedPolicy } = createRequire(import.meta.url)(
  '@open-policy-agent/opa-wasm',
);

/** 64 kB each. A policy that needs more than the most is stopped, and what it judged is denied. */
const memoryPages: Memory = { initial: 5, maximum: 1024 };

/** Decisions are synchronous and never throw. */
export type PolicyEngine = {
  readonly revision: string;
  readonly looksAtFindings: boolean;
  readonly looksAtTotals: boolean;
  readonly looksAtExcerpt: boolean;
  readonly timeZones: readonly string[];
  /** Size of the evaluator's memory; it grows with the largest evaluation and never shrinks. */
  readonly memoryBytes: number;
  access(input: AccessInput): AccessDecision;
  request(input: RequestInput): RequestDecision;
  record(input: RecordInput): RecordDecision;
  /** Of exchanges that are not judged by `record`. */
  readonly unjudgedPrivacy: PrivacyDecision;
  console(input: ConsoleInput): ConsoleDecision;
};

/**
 * @param options.remembers false: each decision is reckoned, for whoever measures that
 * @param options.onFailure told why a policy gave no decision; must not throw
 * @throws SkilltapeError `policy_invalid` when the module cannot be loaded, needs a builtin that is not compiled into
 * it, or lacks an entrypoint
 */
export async function createPolicyEngine(
  bundle: PolicyBundle,
  options: { onFailure?: (error: SkilltapeError) => void; remembers?: boolean } = {},
): Promise<PolicyEngine> {
  const { remembers = true } = options;
  const evaluator = new Evaluator(bundle);
  const privacy = unjudgedPrivacy(bundle.data);
  const ownWords = new Set(bundle.ownWords);
  const judge = <D extends object>(input: unknown, stage: JudgedStage<D>): D => {
    const { name, shape, see, fallback } = stage;
    const memory = remembers ? stage.memory : null;
    try {
      // Of the whole document, whatever of it the rules look at.
      if (isInputTooLarge(input)) return fallback('input_too_large');
      // Rules get what their decision is remembered by, and nothing else: they cannot decide by what that leaves out.
      const seen = wellFormedJson(see(input ?? null));
      const remembered = memory?.recall(seen);
      if (remembered !== undefined) return remembered;
      const decision = readDecision(evaluator.evaluate(name, bytesOf(seen)), name, shape);
      memory?.remember(seen, decision);
      return decision;
    } catch (thrown) {
      // Its memory can be in any state after a failure.
      evaluator.discard();
      options.onFailure?.(SkilltapeError.from(thrown, 'policy_failed'));
      return fallback('policy_failed');
    }
  };
  const verdict = { shape: verdictDecision, fallback: denialFor };
  const { looks } = bundle;
  const access = {
    ...verdict,
    name: 'access',
    see: seeingBy(looks.access),
    memory: new VerdictMemory<AccessDecision>(),
  } as const;
  // Where a rule looks at the text of prompts, no two requests are alike, and nothing keeps what they say (inv. 6).
  const requests = bundle.looksAtExcerpt ? null : new VerdictMemory<RequestDecision>();
  const request = { ...verdict, name: 'request', see: seeingBy(looks.request), memory: requests } as const;
  const record = {
    name: 'record',
    see: seeingBy(looks.record),
    shape: recordDecisionFor(typeNamesWith(bundle.detectors)),
    fallback: (fault: PolicyFault) => recordFor(fault, privacy),
    memory: new VerdictMemory<RecordDecision>(),
  } as const;
  const looking = {
    name: 'console',
    see: seeingBy(looks.console),
    shape: consoleDecision,
    fallback: consoleDenialFor,
    memory: null,
  } as const;
  return {
    revision: bundle.revision,
    looksAtFindings: bundle.looksAtFindings,
    looksAtTotals: bundle.looksAtTotals,
    looksAtExcerpt: bundle.looksAtExcerpt,
    timeZones: bundle.timeZones,
    get memoryBytes() {
      return evaluator.memoryBytes();
    },
    access: (input) => judge(input, access),
    request(input) {
      const decision = judge(input, request);
      return bundle.looksAtExcerpt ? quietReasons(decision, input, ownWords) : decision;
    },
    record: (input) => judge(input, record),
    unjudgedPrivacy: privacy,
    console: (input) => judge(input, looking),
  };
}

/** What stands in when there is no decision, and where those that were given are; null: each is reckoned. */
type JudgedStage<D extends object> = {
  readonly name: Stage;
  readonly see: Seeing;
  readonly shape: z.ZodType<D>;
  fallback(fault: PolicyFault): D;
  readonly memory: VerdictMemory<D> | null;
};

/** One instance of the module at a time; a discarded one is replaced when it is next needed. */
class Evaluator {
  readonly #bundle: PolicyBundle;
  #policy: LoadedPolicy | null;

  constructor(bundle: PolicyBundle) {
    this.#bundle = bundle;
    try {
      this.#policy = this.#instantiate();
    } catch (thrown) {
      throw SkilltapeError.from(thrown, 'policy_invalid');
    }
    refuseMissingParts(this.#policy);
  }

  evaluate(stage: Stage, document: ArrayBuffer): unknown {
    this.#policy ??= this.#instantiate();
    return this.#policy.evaluate(document, entrypointOf(stage));
  }

  discard(): void {
    this.#policy = null;
  }

  memoryBytes(): number {
    return this.#policy?.mem.buffer.byteLength ?? 0;
  }

  #instantiate(): LoadedPolicy {
    const policy = opaWasm.loadPolicySync(this.#bundle.wasm, { ...memoryPages });
    policy.setData(this.#bundle.data);
    return policy;
  }
}

/**
 * A builtin that is not part of the module fails only when it is called. The package has a few in JavaScript: they are
 * refused too, because they answer otherwise than OPA and their regular expressions are not linear (inv. 11).
 */
function refuseMissingParts(policy: LoadedPolicy): void {
  const builtins = Object.keys(builtinsOf(policy)).sort();
  if (builtins.length > 0) {
    throw new SkilltapeError(
      'policy_invalid',
      `The policy calls builtins that the evaluator does not have: ${builtins.join(', ')}`,
    );
  }
  const missing = stages.map(entrypointOf).filter((name) => !Object.hasOwn(policy.entrypoints, name));
  if (missing.length > 0) {
    throw new SkilltapeError('policy_invalid', `The policy lacks the entrypoints ${missing.join(', ')}`);
  }
}

/** The module's own list of what it wants from outside, by name; JSON ended by a zero byte in its memory. */
function builtinsOf(policy: LoadedPolicy): object {
  const { builtins, opa_json_dump: dump } = policy.wasmInstance.exports;
  if (builtins === undefined || dump === undefined) {
    throw new SkilltapeError('policy_invalid', 'The compiled policy is no module of OPA');
  }
  const start = dump(builtins());
  const bytes = new Uint8Array(policy.mem.buffer);
  return JSON.parse(new TextDecoder().decode(bytes.subarray(start, bytes.indexOf(0, start))));
}

/**
 * Lone surrogates, which the evaluator's parser aborts on, become U+FFFD, as they do in OPA itself. JSON has them as escapes,
 * so a text without one needs no second look.
 */
function wellFormedJson(json: string): string {
  return json.includes('\\ud') ? JSON.stringify(JSON.parse(json), wellFormed) : json;
}

/** The evaluator takes only an ArrayBuffer as JSON, and any falsy value for no input. */
function bytesOf(json: string): ArrayBuffer {
  const bytes = new TextEncoder().encode(json);
  return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
}

function wellFormed(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed() : value;
}

function readDecision<D>(results: unknown, stage: Stage, shape: z.ZodType<D>): D {
  const [first, ...others]: unknown[] = Array.isArray(results) ? results : [];
  if (typeof first !== 'object' || first === null || others.length > 0 || !('result' in first)) {
    throw new SkilltapeError('policy_failed', `The policy gave no ${stage} decision`);
  }
  const read = shape.safeParse(first.result);
  if (read.success) return read.data;
  // zod's own words name keys of the document, which a rule may have taken from a request (inv. 6).
  const faults = read.error.issues.map(({ code, path: [key = ''] }) => `${String(key)} ${code}`.trim());
  throw new SkilltapeError('policy_failed', `The ${stage} decision has an odd shape: ${faults.join(', ')}`);
}
