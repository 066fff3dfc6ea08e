package skilltape.rules.request.oversize_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.request.oversize

test_success_list_without_entries_and_sizes_at_the_limit if {
	count(oversize.findings) == 0 with input as example.request
	count(_of(example.request, [{"effect": "deny", "body_bytes": 120, "max_tokens": 1024, "messages": 1, "tools": 0}])) == 0
	count(_of(example.request, [{"when": {"groups": ["other"]}, "effect": "deny", "body_bytes": 1}])) == 0
}

test_fail_each_size if {
	every name, words in {
		"body_bytes": "120 bytes",
		"text_bytes": "12 bytes of text",
		"max_tokens": "1024 tokens as max_tokens",
		"messages": "1 messages",
	} {
		_of(example.request, [{"effect": "hold", name: 0}]) == {{
			"effect": "hold",
			"message": $"The request has {words}; at most 0 are let through.",
		}}
	}
}

test_fail_encoded_body_by_its_decoded_size if {
	document := example.request_with({"body": {"bytes": 1, "decoded_bytes": 121}})
	count(_of(document, [{"effect": "deny", "body_bytes": 120}])) == 1
}

test_fail_tools_files_and_batches if {
	count(_of(example.request_with({"claude": {"tool_types": ["a", "b"]}}), [{"effect": "deny", "tools": 1}])) == 1
	count(_of(example.agent_with({"tool_types": ["a", "b"]}), [{"effect": "deny", "tools": 1}])) == 1
	count(_of(example.upload_with(["md", "pdf"]), [{"effect": "deny", "files": 1}])) == 1
	count(_of(example.batch_with({}), [{"effect": "deny", "batch_requests": 6}])) == 1
	count(_of(example.batch_with({"max_tokens": 5000}), [{"effect": "deny", "max_tokens": 4096}])) == 1
}

_of(document, rules) := findings if {
	findings := oversize.findings with input as document with data.lists.sizes.rules as rules
}
