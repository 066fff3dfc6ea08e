# METADATA
# title: Input documents that every rule lets through
# description: Tests take one of these and change what they are about.
package skilltape.lib.example_test

console := {
	"version": 1,
	"action": "reveal",
	"operator": {
		"kind": "os",
		"name": "ada",
		"uid": 1000,
		"groups": ["staff", "incident"],
		"home_issuer": "https://idp.example",
	},
	"person": {"issuer": "https://idp.example", "subject": "u-1", "email": "bob@example.org", "groups": ["staff"]},
	"connection": "claude",
	"session": "session-1",
	"exchange": "exchange-1",
	"retention_class": "standard",
	"types": ["EMAIL"],
	"values": 1,
	"reason": "incident 42: who was written to",
	"last_hour": {"operator_values": 0, "person_values": 0},
	"time": "2026-01-02T03:04:05.678Z",
}

access := {
	"version": 1,
	"connection": {"name": "claude", "issuers": ["https://idp.example"], "recording": "full", "data": {}},
	"identity": {
		"issuer": "https://idp.example",
		"subject": "u-1",
		"kind": "person",
		"name": "Ada Example",
		"email": "ada@example.org",
		"groups": ["staff"],
	},
	"authentication": {"failure": null, "detail": ""},
	"request": {
		"method": "POST",
		"path": "/v1/messages",
		"endpoint": "messages.create",
		"endpoint_kind": "messages",
		"endpoint_treatment": "prompt",
		"body_form": "messages",
		"list_filtered": false,
		"content_type": "application/json",
		"content_encoding": "identity",
		"content_length": 120,
		"betas": [],
		"anthropic_version": "2023-06-01",
		"tags": {},
	},
	"source": {"address": "192.0.2.7"},
	"time": "2026-01-02T03:04:05.678Z",
	"clock": {"UTC": {"date": "2026-01-02", "weekday": "fri", "hour": 3, "minute": 4, "minute_of_day": 184}},
	"owners": [],
	"grants": [],
}

request := object.union(access, {
	"body": {"bytes": 120, "decoded_bytes": 120, "codings": [], "status": "parsed", "fault": ""},
	"claude": claude,
	"batch": null,
	"agent": null,
	"events": null,
	"upload": null,
	"findings": [],
	"findings_complete": true,
	"excerpt": {"text": "What does the plan say?", "complete": true},
	"totals": {
		"counted": true,
		"priced": true,
		"day": _sums,
		"session": _sums,
		"minute": {"requests": 3},
	},
})

_sums := {"requests": 10, "input_tokens": 1000, "output_tokens": 500, "spend": 1.5, "unpriced_requests": 0}

claude := {
	"model": "claude-opus-5-5",
	"models": ["claude-opus-5-5"],
	"stream": true,
	"max_tokens": 1024,
	"message_count": 1,
	"new_message_count": 1,
	"tool_names": [],
	"tool_types": [],
	"mcp_server_names": [],
	"mcp_server_hosts": [],
	"mcp_toolsets": [],
	"skills": [],
	"has_system": false,
	"text_bytes": 12,
}

agent := {
	"models": ["claude-opus-5-5"],
	"tool_names": [],
	"tool_types": [],
	"mcp_server_names": [],
	"mcp_server_hosts": [],
	"mcp_toolsets": [],
	"skills": [],
}

record := object.union(request, {
	"answer": {
		"outcome": "complete",
		"status": 200,
		"stop_reason": "end_turn",
		"model": "claude-opus-5-5",
		"input_tokens": 10,
		"output_tokens": 20,
		"tool_names": [],
	},
	"verdict": {"decision": "allow"},
})

# METADATA
# description: The `access` example with the fields of `change` in place of its own.
access_with(change) := object.union(access, change)

# METADATA
# description: The `request` example with the fields of `change` in place of its own.
request_with(change) := object.union(request, change)

# METADATA
# description: The `record` example with the fields of `change` in place of its own.
record_with(change) := object.union(record, change)

# METADATA
# description: |
#   A batch of three kinds of requests: the first two are the one of the example, the third has the fields of `change`.
batch_with(change) := object.union(request, {
	"request": {"endpoint": "batches.create", "endpoint_kind": "batches", "body_form": "batch"},
	"claude": null,
	"batch": {
		"size": 7,
		"requests": [
			object.union(claude, {"count": 4}),
			object.union(claude, {"count": 2, "stream": false}),
			object.union(object.union(claude, {"count": 1}), change),
		],
	},
})

# METADATA
# description: The definition of an agent, with the fields of `change` in place of those of the example.
agent_with(change) := object.union(request, {
	"request": {
		"endpoint": "agents.create",
		"endpoint_kind": "agents",
		"endpoint_treatment": "settings",
		"body_form": "json",
	},
	"claude": null,
	"agent": object.union(agent, change),
})

# METADATA
# description: An upload of files with these extensions.
upload_with(extensions) := object.union(request, {
	"request": {
		"endpoint": "files.upload",
		"endpoint_kind": "files",
		"endpoint_treatment": "content",
		"body_form": "upload",
		"content_type": "multipart/form-data; boundary=----b",
	},
	"claude": null,
	"upload": {
		"bytes": 12,
		"count": count(extensions),
		"extensions": extensions,
		"content_types": ["text/plain"],
		"parts": [part |
			some extension in extensions
			part := {"field": "file", "filename": concat(".", ["a", extension]), "content_type": "text/plain", "bytes": 12}
		],
		"truncated": false,
	},
})

person_operator := {
	"kind": "person",
	"name": "Grace",
	"uid": -1,
	"groups": ["staff"],
	"issuer": "https://idp.example",
	"subject": "u-7",
	"home_issuer": "https://idp.example",
}
