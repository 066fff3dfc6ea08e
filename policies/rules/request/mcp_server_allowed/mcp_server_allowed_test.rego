package skilltape.rules.request.mcp_server_allowed_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.request.mcp_server_allowed

test_success_list_without_entries if count(mcp_server_allowed.findings) == 0 with input as _with(["docs.example.com"])

test_success_listed_hosts if {
	rules := [{"hosts": ["docs.example.com:8443"]}, {"when": {"groups": ["staff"]}, "hosts": ["*.example.org"]}]
	count(_of(["docs.example.com:8443", "a.b.example.org"], rules)) == 0
	count(_of(["anywhere.example"], [{"hosts": ["*"]}])) == 0
}

test_fail_hosts_that_only_look_like_it if {
	every host in ["example.org", "evilexample.org", "a.example.org.evil.example", "docs.example.com", "a.example.org:1"] {
		_of([host], [{"hosts": ["*.example.org", "docs.example.com:8443"]}]) == {{
			"effect": "deny",
			"message": $"The MCP server at \"{host}\" is not one of those that you may use.",
		}}
	}
}

test_fail_server_without_a_host if {
	_of([""], [{"hosts": ["docs.example.com"]}]) == {{
		"effect": "deny",
		"message": "An MCP server is named without a URL that can be judged.",
	}}
}

test_fail_server_of_an_agent if {
	count(mcp_server_allowed.findings) == 1 with input as example.agent_with({"mcp_server_hosts": ["x.example"]})
		with data.lists.allowed_mcp_servers.rules as [{"hosts": []}]
}

_with(hosts) := example.request_with({"claude": {"mcp_server_hosts": hosts}})

_of(hosts, rules) := findings if {
	findings := mcp_server_allowed.findings with input as _with(hosts) with data.lists.allowed_mcp_servers.rules as rules
}
