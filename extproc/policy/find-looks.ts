/**
 * Finds what the rules of a stage can look at in their input, by going through their plan with all values that a local may
 * hold. When in doubt something is looked at. What a plan cannot reach with the lists as they are looks at nothing.
 */

import { builtinResult } from './builtin-looks.ts';
import type { Look } from './look.ts';
import { Looking, lookAt } from './looking.ts';
import type { Block, Operand, Plan, PlannedFunction, Statement } from './plan.ts';
import { Frame, Frames, Locals, nothing } from './plan-locals.ts';
import { mayBeEqual, mayDiffer, onlyReckoned, onlyScalar, type Possible, type Possibles } from './possible-values.ts';

/** Statements gone through; a stage of the shipped policies has 40,000. What takes more is taken to look at everything. */
const stepsMax = 2_000_000;

/** @param entrypoint as OPA names it: `skilltape/access/decision` */
export function findLook(plan: Plan, entrypoint: string, data: object): Look {
  const found = plan.plans.plans.find(({ name }) => name === entrypoint);
  return found === undefined ? 'whole' : new LookFinder(plan, data).look(found.blocks);
}

type CallSite = { frame: Frame; statement: object };
/** A function while it is gone through. */
type Visit = { frame: Frame; locals: Locals };

class LookFinder {
  readonly #texts: readonly string[];
  readonly #functions: ReadonlyMap<string, PlannedFunction>;
  readonly #rules = new Frames();
  readonly #looking = new Looking();
  readonly #data: Possibles;
  #pass = 0;
  #steps = 0;

  constructor(plan: Plan, data: object) {
    this.#texts = plan.static.strings.map(({ value }) => value);
    this.#functions = new Map(plan.funcs.funcs.map((one) => [one.name, one]));
    this.#data = this.#looking.constants.only(data);
  }

  /** Nothing is ever taken back, so what is known grows until a pass finds nothing new. */
  look(blocks: readonly Block[]): Look {
    const { input } = this.#looking;
    const frame = new Frame();
    let growth = -1;
    while (growth !== this.#looking.growth) {
      growth = this.#looking.growth;
      this.#pass += 1;
      const params = [[0, new Set([input])] as const, [1, this.#data] as const];
      this.#blocks(blocks, { frame, locals: new Locals(params) });
      if (this.#steps > stepsMax) return 'whole';
    }
    return lookAt(input);
  }

  #blocks(blocks: readonly Block[] | null, visit: Visit): void {
    for (const block of blocks ?? []) visit.locals.within(() => this.#block(block, visit));
  }

  /** False when its end cannot be reached. */
  #block({ stmts }: Block, visit: Visit): boolean {
    return (stmts ?? []).every((statement) => {
      this.#steps += 1;
      return this.#steps <= stepsMax && this.#statement(statement, visit);
    });
  }

  /** False when what comes behind it cannot be reached: something is undefined, or a condition never met. */
  #statement({ type, stmt }: Statement, visit: Visit): boolean {
    const looking = this.#looking;
    const { frame, locals } = visit;
    const { of, set } = this.#using(locals);
    switch (type) {
      case 'CallStmt':
        return set(stmt.result, this.#call({ frame, statement: stmt }, stmt.func, (stmt.args ?? []).map(of)));
      case 'CallDynamicStmt':
        return set(
          stmt.result,
          this.#callAny(
            { frame, statement: stmt },
            stmt.path.map(of),
            stmt.args.map((local) => locals.of(local)),
          ),
        );
      case 'BlockStmt':
        this.#blocks(stmt.blocks, visit);
        return true;
      case 'NotStmt':
        this.#blocks([stmt.block], visit);
        return true;
      case 'BreakStmt':
        return false;
      case 'ScanStmt':
        this.#scan(stmt, visit);
        return true;
      case 'WithStmt':
        looking.whole(of(stmt.value));
        // Whatever takes the place of `input` is made of it, and whatever takes the place of `data` may be anything.
        looking.whole(locals.of(stmt.local));
        locals.assignMaybe(stmt.local, onlyReckoned);
        this.#blocks([stmt.block], visit);
        return true;
      case 'DotStmt':
        return set(stmt.target, looking.field(of(stmt.source), of(stmt.key)));
      case 'LenStmt':
        looking.whole(of(stmt.source));
        return set(stmt.target, onlyReckoned);
      case 'EqualStmt':
        looking.compared(of(stmt.a), of(stmt.b));
        return mayBeEqual(of(stmt.a), of(stmt.b));
      case 'NotEqualStmt':
        looking.compared(of(stmt.a), of(stmt.b));
        return mayDiffer(of(stmt.a), of(stmt.b));
      case 'IsDefinedStmt':
        return locals.of(stmt.source).size > 0;
      default:
        return this.#making({ type, stmt } as Statement, visit);
    }
  }

  /** Statements that make a value, or put one into another. */
  #making({ type, stmt }: Statement, visit: Visit): boolean {
    const looking = this.#looking;
    const { frame, locals } = visit;
    const { of, set } = this.#using(locals);
    switch (type) {
      case 'AssignVarStmt':
        set(stmt.target, of(stmt.source));
        return true;
      case 'AssignVarOnceStmt':
        // Another value than what it holds ends the evaluation.
        if (locals.of(stmt.target).size > 0) looking.compared(locals.of(stmt.target), of(stmt.source));
        locals.assignMaybe(stmt.target, of(stmt.source));
        return true;
      case 'MakeArrayStmt':
      case 'MakeObjectStmt':
      case 'MakeSetStmt':
        return set(stmt.target, new Set([frame.madeBy(stmt)]));
      case 'MakeNullStmt':
        return set(stmt.target, this.#constant(null));
      case 'AssignIntStmt':
      case 'MakeNumberIntStmt':
        return set(stmt.target, this.#constant(stmt.value));
      case 'MakeNumberRefStmt':
        return set(stmt.target, this.#constant(Number(this.#texts[stmt.Index])));
      case 'ArrayAppendStmt':
        looking.insert(locals.of(stmt.array), of(stmt.value));
        return true;
      case 'SetAddStmt':
        // A set has equal values once.
        looking.whole(of(stmt.value));
        looking.insert(locals.of(stmt.set), of(stmt.value));
        return true;
      case 'ObjectInsertStmt':
      case 'ObjectInsertOnceStmt':
        looking.whole(of(stmt.key));
        // Once: whatever else the key got is compared with it.
        if (type === 'ObjectInsertOnceStmt') looking.whole(of(stmt.value));
        looking.insert(locals.of(stmt.object), of(stmt.value), onlyScalar(of(stmt.key)));
        return true;
      case 'ObjectMergeStmt':
        // With an object of its own for what is put into it.
        return set(stmt.target, new Set([...locals.of(stmt.a), ...locals.of(stmt.b), frame.madeBy(stmt)]));
      case 'ReturnLocalStmt':
        looking.add(frame.result, locals.of(stmt.source));
        return true;
      case 'ResultSetAddStmt':
        looking.whole(locals.of(stmt.value));
        return true;
      case 'IsUndefinedStmt':
        locals.assign(stmt.source, nothing);
        return true;
      case 'ResetLocalStmt':
        locals.assign(stmt.target, nothing);
        return true;
      case 'NopStmt':
      case 'IsArrayStmt':
      case 'IsObjectStmt':
      case 'IsSetStmt':
        return true;
      default:
        // Of another version of OPA.
        looking.whole([looking.input]);
        return true;
    }
  }

  /** `set` is false when what comes behind it cannot be reached: nothing is there to be held. */
  #using(locals: Locals) {
    return {
      of: (operand: Operand) => this.#possibles(operand, locals),
      set: (local: number, values: Possibles): boolean => {
        locals.assign(local, values);
        return values.size > 0;
      },
    };
  }

  #possibles(operand: Operand, locals: Locals): Possibles {
    switch (operand.type) {
      case 'local':
        return locals.of(operand.value);
      case 'string_index':
        return this.#constant(this.#texts[operand.value]);
      case 'bool':
        return this.#constant(operand.value);
    }
  }

  #constant(value: unknown): Possibles {
    return this.#looking.constants.only(value);
  }

  #scan(stmt: Extract<Statement, { type: 'ScanStmt' }>['stmt'], visit: Visit): void {
    const { frame, locals } = visit;
    const source = locals.of(stmt.source);
    const values = this.#looking.elements(source);
    if (values.size === 0) return;
    const carried = frame.carriedBy(stmt);
    const assigned = locals.within(() => {
      for (const [local, before] of carried) locals.assignMaybe(local, before);
      locals.assign(stmt.key, this.#looking.keys(source));
      locals.assign(stmt.value, values);
      this.#block(stmt.block, visit);
    });
    for (const [local, { got }] of assigned) {
      const known = carried.get(local) ?? new Set();
      carried.set(local, known);
      this.#looking.add(known, got);
    }
  }

  #call(site: CallSite, name: string, args: readonly Possibles[]): Possibles {
    const called = this.#functions.get(name);
    if (called === undefined) return builtinResult(this.#looking, name, args);
    // A rule is the same wherever it is asked; a function is gone through for each place of a call by itself.
    const isRule = called.params.length === 2;
    const frame = isRule ? this.#rules.of(called, name) : site.frame.calls.of(site.statement, name);
    const params = called.params.map((local, at) => {
      const known = frame.params[at] ?? new Set();
      frame.params[at] = known;
      this.#looking.add(known, args[at] ?? onlyReckoned);
      return [local, known] as const;
    });
    if (frame.pass < this.#pass) {
      frame.pass = this.#pass;
      this.#blocks(called.blocks, { frame, locals: new Locals(params) });
    }
    return frame.result;
  }

  /** Of the functions whose path is one that may be meant. */
  #callAny(site: CallSite, path: readonly Possibles[], args: readonly Possibles[]): Possibles {
    for (const step of path) this.#looking.whole(step);
    const results = new Set<Possible>();
    for (const { name, path: own = [] } of this.#functions.values()) {
      const isMeant =
        own.length === path.length && own.every((step, at) => mayBeEqual(this.#constant(step), path[at] ?? new Set()));
      if (isMeant) for (const one of this.#call(site, name, args)) results.add(one);
    }
    return results;
  }
}
