import { SkilltapeError } from '../errors.ts';
import type { Masked } from './masked.ts';

/**
 * Marks a constant of our own source as fit for sinks: trusted`no text`. Only the tag of a template without
 * substitutions is taken, so the string is always written in the program and never data: a call with an array fails
 * the check for the frozen `raw` that the language gives to templates, and a substitution has no parameter to go to.
 */
export function trusted(literal: TemplateStringsArray): Masked<string> {
  const text = literal[0];
  const isTemplate = Array.isArray(literal) && Object.isFrozen(literal) && Object.isFrozen(literal.raw);
  if (!isTemplate || literal.length !== 1 || text === undefined) {
    throw new SkilltapeError('internal', 'trusted takes a template without substitutions');
  }
  return text as Masked<string>;
}
