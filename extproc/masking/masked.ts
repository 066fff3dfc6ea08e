declare const maskedBrand: unique symbol;

/**
 * A value that went through the masker. Sinks (index, command line, logs) take only this type; `Masker` is the only
 * place that makes one (inv. 6, held by test/architecture.test.ts).
 */
export type Masked<T> = T & { readonly [maskedBrand]: true };

/**
 * What is computed from masked data alone is masked. `derive` must use nothing but its argument: a closure over
 * unmasked text would break inv. 6, so it is called in two reviewed places only (test/architecture.test.ts).
 */
export function deriveMasked<T, U>(value: Masked<T>, derive: (value: T) => U): Masked<U> {
  return derive(value) as Masked<U>;
}

/**
 * What holds nothing that a caller or an upstream wrote has nothing to mask. Called in one reviewed place only, for the
 * document that is kept when the masker itself fails (extproc/transcript/metadata-document.ts).
 */
export function withoutContent<T>(value: T): Masked<T> {
  return value as Masked<T>;
}
