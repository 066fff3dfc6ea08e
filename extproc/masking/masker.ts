import { SkilltapeError } from '../errors.ts';
import type { FindingCount, FindingPlace } from './finding.ts';
import { pairedKeyName } from './json-pair.ts';
import type { JsonValue } from './json-value.ts';
import { KeyNames } from './key-names.ts';
import { readChars } from './long-text.ts';
import type { Masked } from './masked.ts';
import type { OwnDetection } from './own-detection.ts';
import { maskString } from './string-masking.ts';
import { type Found, type MaskingLimits, type OnToken, type Scan, TextMasking } from './text-masking.ts';
import { Tokens } from './token.ts';
import { type Treatment, usualTreatment } from './treatment.ts';

/** Arrays and objects nested deeper than this become `[DEEP]`: no reader needs them, and no recursion may follow them. */
const depthMax = 128;
const deep = '[DEEP]';
const plainProperty = { writable: true, enumerable: true, configurable: true };

export type Path = readonly (string | number)[];

export type JsonMaskingOptions = {
  scope: string;
  /** Answers true for a string or number (as text) that stays as it is: ids we made, sizes we counted. */
  exempt?: (path: Path, value: string) => boolean;
  limits?: MaskingLimits;
  treatment?: Treatment;
  /** Another treatment for what stands at a path, where there is one. */
  treatmentAt?: ((path: Path) => Treatment | undefined) | undefined;
  /** Asked at each finding. */
  placeOf?: (path: Path) => FindingPlace;
  /** Told of each finding, never of the value. */
  onFound?: (found: Found) => void;
  onToken?: OnToken | undefined;
};

/** `isCut`: something was left out for a limit. */
export type MaskedJson<T> = { value: Masked<T>; findings: FindingCount[]; isCut: boolean };

/**
 * The port through which every readable form passes (inv. 6). `scope` is what equal values may be linked within, usually
 * the session. Throws `masking_failed` and nothing else; the caller then keeps metadata only, never the text.
 */
export class Masker {
  readonly #tokens: Tokens;
  readonly #treatment: Treatment;

  /** `key` has at least 32 bytes (`key_invalid` otherwise). */
  constructor(options: { key: Uint8Array; scan?: Scan; detection?: OwnDetection }) {
    this.#tokens = new Tokens(options.key);
    const treatment = usualTreatment(options.detection);
    this.#treatment = { ...treatment, scan: options.scan ?? treatment.scan };
  }

  text(text: string, scope: string): { value: Masked<string>; findings: FindingCount[] } {
    const { value, findings } = this.#run(scope, (masking) => maskString(masking, text, ''));
    return { value, findings };
  }

  /** Masks every string, key and number. A number that is found becomes a string, so the shape of `T` is kept but for that. */
  json<T extends JsonValue>(value: T, options: JsonMaskingOptions): MaskedJson<T> {
    return this.#run(options.scope, (masking) => new JsonWalk(masking, options).value(value, '', 0) as T, options);
  }

  #run<T>(
    scope: string,
    mask: (masking: TextMasking) => T,
    { treatment, limits, onToken }: Pick<JsonMaskingOptions, 'treatment' | 'limits' | 'onToken'> = {},
  ): MaskedJson<T> {
    const masking = new TextMasking(this.#tokens, treatment ?? this.#treatment, scope, limits);
    masking.onToken = onToken;
    try {
      const value = limits?.time === undefined ? mask(masking) : limits.time.timed(() => mask(masking));
      return { value: value as Masked<T>, findings: masking.counts(), isCut: masking.isCut };
    } catch (thrown) {
      if (thrown instanceof SkilltapeError && thrown.code === 'masking_failed') throw thrown;
      // the message and stack of the cause may hold the text
      const kind = thrown instanceof Error ? thrown.name : typeof thrown;
      throw new SkilltapeError('masking_failed', `masking failed with ${kind}`);
    }
  }
}

class JsonWalk {
  readonly #masking: TextMasking;
  readonly #exempt: JsonMaskingOptions['exempt'];
  readonly #treatmentAt: JsonMaskingOptions['treatmentAt'];
  readonly #path: (string | number)[] = [];

  constructor(masking: TextMasking, { exempt, treatmentAt, placeOf, onFound }: JsonMaskingOptions) {
    masking.onFound = onFound;
    this.#masking = masking;
    this.#exempt = exempt;
    this.#treatmentAt = treatmentAt;
    if (placeOf !== undefined) masking.placeNow = () => placeOf(this.#path);
  }

  value(value: JsonValue | undefined, keyName: string, depth: number): JsonValue | undefined {
    switch (typeof value) {
      case 'string':
        return this.#exempt?.(this.#path, value) ? value : this.#string(value, keyName);
      case 'number':
        return this.#exempt?.(this.#path, String(value)) ? value : this.#number(value, keyName);
      case 'boolean':
      case 'undefined':
        return value;
      case 'object':
        if (value === null) return null;
        return depth >= depthMax ? this.#deep() : this.#container(value, keyName, depth);
      default:
        throw new TypeError('not a JSON value');
    }
  }

  #string(value: string, keyName: string): string {
    if (!this.#masking.admits(readChars(this.#masking, value))) return this.#masking.leftOut(value.length);
    return maskString(this.#masking, value, keyName);
  }

  #key(key: string): string {
    return this.#masking.admits(key.length) ? this.#masking.text(key, '') : this.#masking.leftOut(key.length);
  }

  #number(value: number, keyName: string): JsonValue {
    return this.#masking.number(String(value), keyName) ?? value;
  }

  #deep(): string {
    this.#masking.count('DEEP', 'depth');
    return deep;
  }

  #container(value: JsonValue[] | { [key: string]: JsonValue }, keyName: string, depth: number): JsonValue {
    if (Array.isArray(value)) {
      return value.map((item, index) => this.#child(item, index, keyName, depth)) as JsonValue[];
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) throw new TypeError('not a JSON value');
    const names = new KeyNames();
    const rewritten: { [key: string]: JsonValue } = {};
    for (const key of Object.keys(value)) {
      const masked = this.#key(key);
      const name = names.claim(key, masked);
      // the key as masked is the context, so that a second masking sees the same
      const item = this.#child(value[key] as JsonValue, key, pairedKeyName(masked, value), depth) as JsonValue;
      // assigned, it would become the prototype
      if (name === '__proto__') Object.defineProperty(rewritten, name, { ...plainProperty, value: item });
      else rewritten[name] = item;
    }
    return rewritten;
  }

  #child(value: JsonValue, step: string | number, keyName: string, depth: number): JsonValue | undefined {
    this.#path.push(step);
    const treatment = this.#treatmentAt?.(this.#path);
    const masked =
      treatment === undefined
        ? this.value(value, keyName, depth + 1)
        : this.#masking.treated(treatment, () => this.value(value, keyName, depth + 1));
    this.#path.pop();
    return masked;
  }
}
