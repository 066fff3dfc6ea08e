package skilltape.rules.request.tool_denied_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.request.tool_denied

test_success_tools_not_listed if {
	count(tool_denied.findings) == 0 with input as _with_tools with data.lists.deny.tools as _list(["bas"], ["bash_"])
	count(tool_denied.findings) == 0 with input as example.request_with({"claude": null})
		with data.lists.deny.tools as _list(["bash"], [""])
}

test_fail_listed_name if {
	tool_denied.findings == {{
		"effect": "deny",
		"message": "The tool \"bash\" may not be used through this gateway.",
	}} with input as _with_tools with data.lists.deny.tools as _list(["bash"], [])
}

test_fail_listed_type if {
	tool_denied.findings == {{
		"effect": "deny",
		"message": "Tools of the type \"code_execution_20250825\" may not be used through this gateway.",
	}} with input as _with_tools with data.lists.deny.tools as _list([], ["code_execution_"])
}

test_fail_one_finding_for_each_tool if {
	count(tool_denied.findings) == 3 with input as _with_tools
		with data.lists.deny.tools as _list(["bash", "edit"], ["code_"])
}

test_fail_batch_or_agent_with_a_listed_tool if {
	tools := {"tool_names": ["bash"], "tool_types": ["agent_toolset_20260401"]}
	every document in [example.batch_with(tools), example.agent_with(tools)] {
		count(tool_denied.findings) == 2 with input as document
			with data.lists.deny.tools as _list(["bash"], ["agent_toolset_"])
	}
}

_with_tools := example.request_with({"claude": {
	"tool_names": ["bash", "edit", "code_execution"],
	"tool_types": ["custom", "custom", "code_execution_20250825"],
}})

_list(names, type_prefixes) := {"names": names, "type_prefixes": type_prefixes}
