package skilltape.rules.request.mcp_tool_denied_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.request.mcp_tool_denied

test_success_list_without_entries if count(mcp_tool_denied.findings) == 0 with input as _with([_open])

test_success_no_server if count(_of([], [{"tools": ["*"]}])) == 0

test_success_tools_that_are_not_listed if {
	count(_of([_closed(["read_issue"])], [{"tools": ["delete_repo", "admin_*"]}])) == 0
	count(_of([_closed([])], [{"tools": ["*"]}])) == 0
}

test_success_server_elsewhere if {
	every entry in [
		{"hosts": ["other.example"], "tools": ["*"]},
		{"hosts": ["*.other.example"], "tools": ["*"]},
		{"when": {"groups": ["nobody"]}, "tools": ["*"]},
	] {
		count(_of([_open, _closed(["delete_repo"])], [entry])) == 0
	}
}

test_success_open_server_with_the_listed_tool_switched_off if {
	count(_of([object.union(_open, {"off": ["delete_repo"]})], [{"tools": ["delete_repo"]}])) == 0
}

test_fail_listed_tool_that_is_on if {
	every entry in [
		{"tools": ["delete_repo"]}, {"tools": ["delete_*"]}, {"tools": ["*"]},
		{"hosts": ["git.example.com"], "tools": ["delete_repo"]}, {"hosts": ["*.example.com"], "tools": ["delete_repo"]},
	] {
		_of([_closed(["delete_repo"])], [entry]) == {{
			"effect": "deny",
			"message": "The tool \"delete_repo\" of an MCP server may not be used through this gateway.",
		}}
	}
}

test_fail_server_that_may_have_the_listed_tool if {
	every pattern in ["delete_repo", "delete_*"] {
		some finding in _of([_open], [{"tools": [pattern]}])
		startswith(finding.message, $"An MCP server may offer tools named \"{pattern}\"")
	}
}

test_fail_a_beginning_is_not_switched_off_by_a_tool_of_that_name if {
	count(_of([object.union(_open, {"off": ["delete_*"]})], [{"tools": ["delete_*"]}])) == 1
}

test_fail_server_whose_host_cannot_be_read if {
	count(_of([object.union(_open, {"host": ""})], [{"hosts": ["git.example.com"], "tools": ["delete_repo"]}])) == 1
}

test_fail_one_of_two_configurations_of_a_server if {
	count(_of([_closed([]), _open], [{"tools": ["delete_repo"]}])) == 1
}

test_fail_batch_or_agent if {
	every document in [example.batch_with({"mcp_toolsets": [_open]}), example.agent_with({"mcp_toolsets": [_open]})] {
		count(mcp_tool_denied.findings) == 1 with input as document
			with data.lists.denied_mcp_tools.rules as [{"tools": ["delete_repo"]}]
	}
}

_open := {"server": "git", "host": "git.example.com", "open": true, "on": [], "off": []}

_closed(on) := object.union(_open, {"open": false, "on": on})

_with(toolsets) := example.request_with({"claude": {"mcp_toolsets": toolsets}})

_of(toolsets, rules) := findings if {
	findings := mcp_tool_denied.findings with input as _with(toolsets) with data.lists.denied_mcp_tools.rules as rules
}
