/** The tools that the API runs itself: what the fake gives them, and the result blocks that follow. */
import type { ContentBlock, Json } from '../message.ts';
import { property } from '../messages-request.ts';
import { type PartContext, questionWords } from './part-context.ts';
import { PRODUCED_CSV, produceFile } from './produced-file.ts';

export type ServerTool = {
  /** Name in `server_tool_use`. */
  readonly name: string;
  readonly runsCode: boolean;
  readonly input: (context: PartContext) => Json;
  /** Without `tool_use_id`. */
  readonly result: (context: PartContext, input: unknown) => ContentBlock;
};

const DIRECT = { type: 'direct' };
const PAGE_URL = 'https://example.com/revenue';
const PAGE_TEXT = 'Revenue by region: north 1200, south 800.';
const STDOUT = `${PRODUCED_CSV}wrote revenue.csv\n`;
/** One transparent pixel. */
const PIXEL_PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';

const WEB_SEARCH: ServerTool = {
  name: 'web_search',
  runsCode: false,
  input: ({ request }) => ({ query: questionWords(request) }),
  result: () => ({ type: 'web_search_tool_result', caller: DIRECT, content: [searchHit(1), searchHit(2)] }),
};

function searchHit(number: number): Json {
  return {
    type: 'web_search_result',
    url: `${PAGE_URL}/${number}`,
    title: `Revenue report ${number}`,
    page_age: '3 days ago',
    encrypted_content: Buffer.from(`fake search result ${number}`).toString('base64'),
  };
}

const WEB_FETCH: ServerTool = {
  name: 'web_fetch',
  runsCode: false,
  input: () => ({ url: PAGE_URL }),
  result: (_, input) => {
    const source = { type: 'text', media_type: 'text/plain', data: PAGE_TEXT };
    const content = { type: 'document', source, title: 'Revenue report', citations: { enabled: true } };
    const url = property(input, 'url') ?? PAGE_URL;
    const fetched = { type: 'web_fetch_result', url, retrieved_at: '2026-11-22T12:00:00Z', content };
    return { type: 'web_fetch_tool_result', caller: DIRECT, content: fetched };
  },
};

const CODE_EXECUTION: ServerTool = {
  name: 'code_execution',
  runsCode: true,
  input: ({ request }) => ({ code: `# ${questionWords(request)}\nprint(open("revenue.csv").read())` }),
  result: (context) => {
    const content = [{ type: 'code_execution_output', file_id: produceFile(context) }];
    const result = { type: 'code_execution_result', stdout: STDOUT, stderr: '', return_code: 0, content };
    return { type: 'code_execution_tool_result', content: result };
  },
};

const ENCRYPTED_CODE_EXECUTION: ServerTool = {
  ...CODE_EXECUTION,
  result: (context) => {
    const content = [{ type: 'code_execution_output', file_id: produceFile(context) }];
    const encrypted_stdout = Buffer.from(STDOUT).toString('base64');
    const result = { type: 'encrypted_code_execution_result', encrypted_stdout, stderr: '', return_code: 0, content };
    return { type: 'code_execution_tool_result', content: result };
  },
};

const BASH: ServerTool = {
  name: 'bash_code_execution',
  runsCode: true,
  input: ({ request }) => ({ command: `echo ${JSON.stringify(questionWords(request))} && cat revenue.csv` }),
  result: (context) => {
    const content = [{ type: 'bash_code_execution_output', file_id: produceFile(context) }];
    const result = { type: 'bash_code_execution_result', stdout: STDOUT, stderr: '', return_code: 0, content };
    return { type: 'bash_code_execution_tool_result', content: result };
  },
};

function textEditor(input: ServerTool['input']): ServerTool {
  return {
    name: 'text_editor_code_execution',
    runsCode: true,
    input,
    result: (context, sent) => ({
      type: 'text_editor_code_execution_tool_result',
      content: editorResult(context, property(sent, 'command'), String(property(sent, 'path'))),
    }),
  };
}

function editorResult({ resources }: PartContext, command: unknown, path: string): Json {
  switch (command) {
    case 'create':
      return { type: 'text_editor_code_execution_create_result', is_file_update: false };
    case 'str_replace': {
      const place = { old_start: 2, old_lines: 1, new_start: 2, new_lines: 1 };
      const lines = ['-north,1200', '+north,1300'];
      return { type: 'text_editor_code_execution_str_replace_result', ...place, lines };
    }
    default: {
      if (path.endsWith('.png')) return viewed('image', PIXEL_PNG, null);
      const content = resources.skills.fileText(path) ?? PRODUCED_CSV;
      return viewed('text', content, content.split('\n').length);
    }
  }
}

function viewed(file_type: string, content: string, lines: number | null): Json {
  const start_line = lines === null ? null : 1;
  const counts = { num_lines: lines, start_line, total_lines: lines };
  return { type: 'text_editor_code_execution_view_result', file_type, content, ...counts };
}

/** The editor looking at one file; a skill's own files are in `/skills/<directory>/`. */
export function editorViewOf(path: string): ServerTool {
  return textEditor(() => ({ command: 'view', path }));
}

const EDITOR_VIEW = editorViewOf('revenue.csv');
const EDITOR_IMAGE = editorViewOf('chart.png');
const EDITOR_CREATE = textEditor(({ request }) => ({
  command: 'create',
  path: 'notes.txt',
  file_text: `${questionWords(request)}\n`,
}));
const EDITOR_REPLACE = textEditor(() => ({
  command: 'str_replace',
  path: 'revenue.csv',
  old_str: 'north,1200',
  new_str: 'north,1300',
}));

const TOOL_SEARCH: ServerTool = {
  name: 'tool_search_tool_regex',
  runsCode: false,
  input: () => ({ pattern: 'weather|time' }),
  result: ({ request }) => {
    const tool_references = request.tools.map(({ name }) => ({ type: 'tool_reference', tool_name: name }));
    return { type: 'tool_search_tool_result', content: { type: 'tool_search_tool_search_result', tool_references } };
  },
};

const ADVISOR: ServerTool = {
  name: 'advisor',
  runsCode: false,
  input: () => ({}),
  result: ({ request }) => {
    const said = `Answer plainly: ${questionWords(request)}`;
    return { type: 'advisor_tool_result', content: { type: 'advisor_result', text: said, stop_reason: null } };
  },
};

/** A call whose result is the error object of its kind. */
function failing(tool: ServerTool, error_code: string): ServerTool {
  return {
    ...tool,
    result: (context, input) => {
      const { type, ...rest } = tool.result(context, input);
      return { ...rest, type, content: { type: `${type}_error`, error_code } };
    },
  };
}

/** By the name of the part of an answer. */
export const SERVER_TOOLS = {
  web_search: [WEB_SEARCH],
  web_fetch: [WEB_FETCH],
  code_execution: [CODE_EXECUTION],
  encrypted_code_execution: [ENCRYPTED_CODE_EXECUTION],
  bash_code_execution: [BASH],
  text_editor: [EDITOR_VIEW, EDITOR_CREATE, EDITOR_REPLACE],
  image: [EDITOR_IMAGE],
  tool_search: [TOOL_SEARCH],
  advisor: [ADVISOR],
  tool_errors: [
    failing(WEB_SEARCH, 'max_uses_exceeded'),
    failing(WEB_FETCH, 'url_not_accessible'),
    failing(BASH, 'execution_time_exceeded'),
  ],
} as const satisfies Readonly<Record<string, readonly ServerTool[]>>;

/** The tool of that name, for a call that was made before. */
export function serverToolNamed(name: string): ServerTool {
  return [...Object.values(SERVER_TOOLS).flat()].find((tool) => tool.name === name) ?? BASH;
}
