declare const maskedBrand: unique symbol;

/**
 * A value that went through the masker. Sinks (index, command line, logs) take only this type; `Masker` is the only
 * place that makes one (inv. 6, held by test/architecture.test.ts).
 */
export type Masked<T> = T & { readonly [maskedBrand]: true };
