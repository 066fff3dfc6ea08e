/**
 * The plan of a policy: what OPA makes of Rego before it makes a module of it (`opa build --target plan`). Imports, aliases,
 * comprehensions and `with` are gone there: what is left are few kinds of statements over numbered locals.
 */
import { SkilltapeError } from '../errors.ts';

export type Operand =
  | { type: 'local'; value: number }
  | { type: 'string_index'; value: number }
  | { type: 'bool'; value: boolean };

export type Block = { stmts: readonly Statement[] | null };

/** In every function and plan the locals 0 and 1 are `input` and `data`. */
export type Statement =
  | Of<'CallStmt', { func: string; args: Operand[] | null; result: number }>
  | Of<'CallDynamicStmt', { args: number[]; result: number; path: Operand[] }>
  | Of<'BlockStmt', { blocks: Block[] | null }>
  | Of<'DotStmt', { source: Operand; key: Operand; target: number }>
  | Of<'LenStmt', { source: Operand; target: number }>
  | Of<'ScanStmt', { source: number; key: number; value: number; block: Block }>
  | Of<'NotStmt', { block: Block }>
  | Of<'WithStmt', { local: number; value: Operand; block: Block }>
  | Of<'AssignVarStmt' | 'AssignVarOnceStmt', { source: Operand; target: number }>
  | Of<'MakeArrayStmt' | 'MakeObjectStmt' | 'MakeSetStmt' | 'MakeNullStmt', { target: number }>
  | Of<'AssignIntStmt' | 'MakeNumberIntStmt', { value: number; target: number }>
  | Of<'MakeNumberRefStmt', { Index: number; target: number }>
  | Of<'EqualStmt' | 'NotEqualStmt', { a: Operand; b: Operand }>
  | Of<'IsDefinedStmt' | 'ReturnLocalStmt', { source: number }>
  | Of<'ArrayAppendStmt', { value: Operand; array: number }>
  | Of<'SetAddStmt', { value: Operand; set: number }>
  | Of<'ObjectInsertStmt' | 'ObjectInsertOnceStmt', { key: Operand; value: Operand; object: number }>
  | Of<'ObjectMergeStmt', { a: number; b: number; target: number }>
  | Of<'ResultSetAddStmt', { value: number }>
  | Of<'BreakStmt' | 'IsUndefinedStmt' | 'ResetLocalStmt' | 'NopStmt', object>
  | Of<'IsArrayStmt' | 'IsObjectStmt' | 'IsSetStmt', object>;

type Of<Type extends string, Fields> = { type: Type; stmt: Fields };

/** `path` is what calls by a reckoned name find it by. */
export type PlannedFunction = { name: string; params: number[]; return: number; blocks: Block[]; path?: string[] };

export type Plan = {
  static: { strings: { value: string }[] };
  plans: { plans: { name: string; blocks: Block[] }[] };
  funcs: { funcs: PlannedFunction[] };
};

/** @throws SkilltapeError `policy_invalid` */
export function parsePlan(bytes: Uint8Array): Plan {
  const plan: Partial<Plan> = JSON.parse(new TextDecoder().decode(bytes));
  if (plan.static?.strings && plan.plans?.plans && plan.funcs?.funcs) return plan as Plan;
  throw new SkilltapeError('policy_invalid', 'the plan that opa build wrote has another form');
}
