/** The parts an answer is put together from: `[fake: answer thinking web_search text]` names them in order. */
import { type ContentBlock, type Json, textBlock } from '../message.ts';
import { fakeToolInput } from '../tool-input.ts';
import { CITED_PARTS } from './citations.ts';
import { mcpPart } from './mcp.ts';
import { type Part, type PartContext, politeEcho, questionWords } from './part-context.ts';
import { produceFile } from './produced-file.ts';
import { editorViewOf, SERVER_TOOLS, type ServerTool, serverToolNamed } from './server-tools.ts';
import { THINKING_PARTS } from './thinking.ts';

type MakePart = (context: PartContext) => Part;

const OWN_PARTS = {
  text: ({ request }: PartContext): Part => ({ content: [textBlock(politeEcho(request))] }),
  tool_use: clientToolPart,
  ...CITED_PARTS,
  ...THINKING_PARTS,
  mcp: mcpPart,
  skills: skillsPart,
  container_upload: (context: PartContext): Part => ({
    content: [{ type: 'container_upload', file_id: produceFile(context) }],
    runsCode: true,
  }),
  compaction: ({ request }: PartContext): Part => {
    const content = `Summary so far: ${questionWords(request)}`;
    const encrypted_content = Buffer.from(content).toString('base64');
    return { content: [{ type: 'compaction', content, encrypted_content }] };
  },
  fallback: fallbackPart,
  refusal: refusalPart,
  pause_turn: pausePart,
} as const satisfies Readonly<Record<string, MakePart>>;

export type PartName = keyof typeof OWN_PARTS | keyof typeof SERVER_TOOLS;

export function isPartName(name: string): name is PartName {
  return Object.hasOwn(OWN_PARTS, name) || Object.hasOwn(SERVER_TOOLS, name);
}

export function makePart(name: PartName, context: PartContext): Part {
  if (name in OWN_PARTS) return OWN_PARTS[name as keyof typeof OWN_PARTS](context);
  return runTools(SERVER_TOOLS[name as keyof typeof SERVER_TOOLS], context);
}

/** The result of the call at which the turn was paused, and what follows it; undefined when there was none. */
export function resumeTurn(context: PartContext): Part | undefined {
  const pending = context.request.pendingTool;
  if (pending === undefined) return undefined;
  const tool = serverToolNamed(pending.name);
  const { type, ...result } = tool.result(context, pending.input);
  const content = [{ type, tool_use_id: pending.id, ...result }, textBlock('That is done now.')];
  return { content, runsCode: tool.runsCode };
}

function runTools(tools: readonly ServerTool[], context: PartContext): Part {
  return {
    content: tools.flatMap((tool) => callAndResult(tool, context)),
    runsCode: tools.some((tool) => tool.runsCode),
  };
}

function callAndResult(tool: ServerTool, context: PartContext): ContentBlock[] {
  const call = toolCall(tool, context);
  const { type, ...result } = tool.result(context, call.input);
  return [call, { type, tool_use_id: call.id, ...result }];
}

function toolCall(
  tool: ServerTool,
  context: PartContext,
): ContentBlock & { readonly id: string; readonly input: Json } {
  const id = context.blockId('srvtoolu_01');
  return { type: 'server_tool_use', id, name: tool.name, input: tool.input(context), caller: { type: 'direct' } };
}

/** A call of the first tool in the request that the caller runs itself. */
function clientToolPart(context: PartContext): Part {
  const tool = context.request.tools[0];
  return { content: callClientTool(tool, undefined, context) };
}

export function callClientTool(
  tool: PartContext['request']['tools'][number] | undefined,
  wantedName: string | undefined,
  { ids }: PartContext,
): ContentBlock[] {
  if (tool === undefined) return [textBlock(`I was given no tool ${wantedName ?? 'that I could call'}.`)];
  const { name, inputSchema } = tool;
  const id = `toolu_01Fake${ids.serial}`;
  const call = { type: 'tool_use', id, name, input: fakeToolInput(inputSchema), caller: { type: 'direct' } };
  return [textBlock(`Let me use ${name}.`), call];
}

/** Looks at every skill that the request names, then runs code that writes a file. */
function skillsPart(context: PartContext): Part {
  const directories = context.request.skills.map(({ skillId }) => context.resources.skills.directoryOf(skillId));
  const views = directories.map((directory) => editorViewOf(`/skills/${directory}/SKILL.md`));
  const { content } = runTools([...views, ...SERVER_TOOLS.bash_code_execution], context);
  const opening = textBlock('I will read the skill first.');
  return { content: [opening, ...content, textBlock('The file is ready.')], runsCode: true };
}

function fallbackPart({ request }: PartContext): Part {
  const to = 'claude-haiku-5-5';
  const trigger = { type: 'refusal', category: 'cyber' };
  return { content: [{ type: 'fallback', from: { model: request.model }, to: { model: to }, trigger }], model: to };
}

function refusalPart({ ids, isBeta }: PartContext): Part {
  const refusal = { type: 'refusal', category: 'cyber', explanation: 'The fake was asked to refuse.' };
  const fallback_credit_token = `fct_01Fake${ids.serial}`;
  const beta = { fallback_credit_token, fallback_has_prefill_claim: false, recommended_model: null };
  const stopDetails = isBeta ? { ...refusal, ...beta } : refusal;
  return { content: [textBlock('I can not help with that.')], stopReason: 'refusal', stopDetails };
}

/** Stops at a call; sent again with that call at its end, the same request gets the result. */
function pausePart(context: PartContext): Part {
  const [tool] = SERVER_TOOLS.bash_code_execution;
  const content = [textBlock('This will take longer.'), toolCall(tool, context)];
  return { content, stopReason: 'pause_turn', runsCode: true };
}
