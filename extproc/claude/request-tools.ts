/** Lists the tools that a request offers to the model, wherever it defines them. */
import { isJsonObject, type JsonObject, type JsonValue, objectsIn } from './json.ts';
import { isModelName } from './request-models.ts';

/** `models` are those that tools call by themselves, such as an advisor. */
export type OfferedTools = { names: string[]; types: string[]; models: string[] };

export type ToolList = ({ ok: true } & OfferedTools) | { ok: false; fault: string };

/**
 * Tools come from `tools`, and (beta) from `tool_addition` blocks and the `tool_changes` of `compaction` blocks in
 * messages: a list that knew only the first would let a caller bring in a tool that policy forbids.
 */
export function readTools(tools: JsonValue | undefined, turns: readonly { content: JsonValue }[]): ToolList {
  if (tools !== undefined && !Array.isArray(tools)) return { ok: false, fault: 'tools must be an array' };
  const offered: OfferedTools = { names: [], types: [], models: [] };
  for (const [at, tool] of (tools ?? []).entries()) {
    const fault = addTool(tool, offered);
    if (fault !== null) return { ok: false, fault: `tools[${at}]${fault}` };
  }
  for (const [at, turn] of turns.entries()) {
    for (const block of objectsIn(turn.content)) {
      for (const definition of definitionsIn(block)) {
        const fault = addTool(definition, offered);
        if (fault !== null)
          return {
            ok: false,
            fault: `a tool defined in messages[${at}]${fault}`,
          };
      }
    }
  }
  return { ok: true, ...offered };
}

/** Every definition of a tool, wherever it stands. */
export function toolDefinitions(tools: JsonValue | undefined, turns: readonly { content: JsonValue }[]): JsonObject[] {
  const inTurns = turns.flatMap(({ content }) => objectsIn(content)).flatMap(definitionsIn);
  return [...objectsIn(tools ?? null), ...inTurns.filter(isJsonObject)];
}

function addTool(tool: JsonValue, { names, types, models }: OfferedTools): string | null {
  if (!isJsonObject(tool)) return ' must be an object';
  const { name, type, model } = tool;
  if (name !== undefined && typeof name !== 'string') return '.name must be a string';
  if (type !== undefined && type !== null && typeof type !== 'string') return '.type must be a string';
  if (model !== undefined && !isModelName(model)) return '.model must be a non-empty string';
  if (name !== undefined) names.push(name);
  types.push(type ?? 'custom');
  if (model !== undefined) models.push(model);
  return null;
}

function definitionsIn(block: JsonObject): JsonValue[] {
  if (block.type === 'compaction') return objectsIn(block.tool_changes ?? null).flatMap(definitionsIn);
  if (block.type !== 'tool_addition' || !isJsonObject(block.tool)) return [];
  return block.tool.definition === undefined ? [] : [block.tool.definition];
}
