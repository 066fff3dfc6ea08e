/** What an MCP server of the request offers, a call of it and its result (beta). */
import { type Part, type PartContext, questionWords } from './part-context.ts';

export function mcpPart(context: PartContext): Part {
  const server = context.request.mcpServerName ?? 'fake-server';
  const id = context.blockId('mcptoolu_01');
  const words = questionWords(context.request);
  const schema = { type: 'object', properties: { query: { type: 'string' } } };
  const tools = [{ name: 'lookup', description: 'Looks a customer up', input_schema: schema }];
  const said = [{ type: 'text', text: `Found nothing about: ${words}`, citations: null }];
  return {
    content: [
      { type: 'mcp_tool_listing', mcp_server_name: server, tools },
      { type: 'mcp_tool_use', id, name: 'lookup', server_name: server, input: { query: words } },
      { type: 'mcp_tool_result', tool_use_id: id, is_error: false, content: said },
    ],
  };
}
