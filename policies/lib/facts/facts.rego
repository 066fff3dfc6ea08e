# METADATA
# title: What a body asks for, wherever it stands, and faults of an input document
# description: |
#   The sets of the first part hold what a request, any request of a batch, or the definition of an agent names: a rule
#   that goes through them misses none. Each set of the second part names fields that are missing or of the wrong type.
#   The entrypoints refuse an input with a fault, so that a rule whose field is missing cannot become undefined and let
#   the request pass.
# custom:
#   findings: lists.findings.rules
#   totals: lists.budgets.rules
#   excerpt: lists.prompts.rules
package skilltape.lib.facts

# METADATA
# description: The facts of a messages request, or of each kind of request in a batch, with the fields of `claude`.
requests contains input.claude if is_object(input.claude)

requests contains request if some request in input.batch.requests

# METADATA
# description: Every model that may be used because of the body.
models := _of_all("models")

# METADATA
# description: The name of every tool that the body offers.
tool_names := _of_all("tool_names")

# METADATA
# description: The type of every tool that the body offers.
tool_types := _of_all("tool_types")

# METADATA
# description: The name of every MCP server.
mcp_server_names := _of_all("mcp_server_names")

# METADATA
# description: The host of every MCP server; an empty text for one whose host cannot be read.
mcp_server_hosts := _of_all("mcp_server_hosts")

# METADATA
# description: |
#   What is said of the tools of an MCP server: `server`, `host`, `open` (it has all but those that are `off`), and the
#   names that are `on` and `off`. No set: its members would be reckoned with by all their names.
mcp_toolsets := array.concat(array.concat(of_request, of_batch), of_agent) if {
	of_request := [toolset | some toolset in input.claude.mcp_toolsets]
	of_batch := [toolset | some request in input.batch.requests; some toolset in request.mcp_toolsets]
	of_agent := [toolset | some toolset in input.agent.mcp_toolsets]
}

# METADATA
# description: Every skill, with `type`, `id` and `version`.
skills := _of_all("skills")

# Of each owner by itself: a set of owners would be reckoned with by all that they hold, at each step through it.
_of_all(field) := (of_request | of_batch) | of_agent if {
	of_request := {item | some item in input.claude[field]}
	of_batch := {item | some request in input.batch.requests; some item in request[field]}
	of_agent := {item | some item in input.agent[field]}
}

access_faults contains "version" if not input.version == 1

access_faults contains $"connection.{name}" if {
	some name in ["name", "recording"]
	not _is_text("connection", name)
}

access_faults contains "authentication.detail" if not _is_text("authentication", "detail")

access_faults contains $"request.{name}" if {
	some name in [
		"method", "path", "endpoint", "endpoint_kind", "endpoint_treatment", "body_form", "content_type",
		"content_encoding", "anthropic_version",
	]
	not _is_text("request", name)
}

access_faults contains "source.address" if not _is_text("source", "address")

access_faults contains "time" if not _time

access_faults contains "connection.issuers" if not _issuers

access_faults contains "connection.data" if not _connection_data

access_faults contains "identity" if not _identity

access_faults contains "authentication.failure" if not _authentication_failure

access_faults contains "request.content_length" if not _content_length

access_faults contains "request.betas" if not _betas

access_faults contains "request.list_filtered" if not _list_filtered

access_faults contains "request.tags" if not _tags

access_faults contains "clock" if not _clock

access_faults contains "owners" if not _things_owned

access_faults contains "grants" if not _grants

request_faults contains fault if some fault in access_faults

request_faults contains "body.bytes" if not _body_bytes

request_faults contains "body.decoded_bytes" if not _body_decoded_bytes

request_faults contains "body.codings" if not _body_codings

request_faults contains "body.status" if not _body_status

request_faults contains "body.fault" if not _is_text("body", "fault")

request_faults contains "claude" if not _claude

request_faults contains "batch" if not _batch

request_faults contains "agent" if not _agent

request_faults contains "events" if not _events

request_faults contains "upload" if not _upload

request_faults contains "findings" if not _findings

request_faults contains "findings_complete" if not _findings_complete

request_faults contains "totals" if not _totals

request_faults contains "excerpt" if not _excerpt

record_faults contains fault if {
	some fault in request_faults
	fault != "excerpt"
}

record_faults contains "answer" if not _answer

record_faults contains "verdict.decision" if not _verdict_decision

# Each check is a rule of its own: an argument of a negated call is looked up outside of the negation, and when it is
# undefined it takes the whole fault with it.
_is_text(part, name) if is_string(input[part][name])

_time if is_string(input.time)

_issuers if _is_texts(input.connection.issuers)

_connection_data if is_object(input.connection.data)

_identity if _is_identity(input.identity)

_authentication_failure if {
	input.authentication.failure in {null, "missing", "failed", "two_credentials", "wrong_issuer"}
}

_content_length if _is_number_or_null(input.request.content_length)

_betas if _is_texts(input.request.betas)

_list_filtered if is_boolean(input.request.list_filtered)

_tags if {
	is_object(input.request.tags)
	every value in input.request.tags { is_string(value) }
}

_clock if {
	input.clock.UTC
	every shown in input.clock {
		_has_texts(shown, ["date", "weekday"])
		every name in ["hour", "minute", "minute_of_day"] { is_number(shown[name]) }
	}
}

_things_owned if {
	is_array(input.owners)
	every thing in input.owners {
		_has_texts(thing, ["kind"])
		thing.owner in {"mine", "others", "unknown"}
		is_number(thing.count)
	}
}

_grants if {
	is_array(input.grants)
	every grant in input.grants {
		_has_texts(grant, ["id", "skill", "model", "until"])
		grant.kind in {"access", "break_glass"}
	}
}

_body_bytes if is_number(input.body.bytes)

_body_decoded_bytes if is_number(input.body.decoded_bytes)

_body_codings if _is_texts(input.body.codings)

_body_status if input.body.status in {"parsed", "unread", "empty"}

_claude if _is_claude(input.claude)

_batch if _is_batch(input.batch)

_agent if _is_agent(input.agent)

_events if _is_events(input.events)

_upload if _is_upload(input.upload)

_findings if {
	is_array(input.findings)
	every finding in input.findings {
		_has_texts(finding, ["type", "place"])
		is_number(finding.count)
	}
}

_findings_complete if is_boolean(input.findings_complete)

_excerpt if {
	is_string(input.excerpt.text)
	is_boolean(input.excerpt.complete)
}

_totals if {
	is_boolean(input.totals.counted)
	is_boolean(input.totals.priced)
	is_number(input.totals.minute.requests)
	every sum in [input.totals.day, input.totals.session] {
		every name in ["requests", "input_tokens", "output_tokens", "spend", "unpriced_requests"] { is_number(sum[name]) }
	}
}

_answer if _is_answer(input.answer)

_verdict_decision if input.verdict.decision in {"allow", "deny", "hold", "none"}

_is_identity(value) if is_null(value)

_is_identity(value) if {
	_has_texts(value, ["issuer", "subject", "kind", "name", "email"])
	_is_texts(value.groups)
}

_is_claude(value) if is_null(value)

_is_claude(value) if {
	_has_texts(value, ["model"])
	value.model in value.models
	is_boolean(value.stream)
	is_boolean(value.has_system)
	_is_number_or_null(value.max_tokens)
	every name in ["message_count", "new_message_count", "text_bytes"] { is_number(value[name]) }
	_has_things(value)
}

_is_batch(value) if is_null(value)

_is_batch(value) if {
	is_number(value.size)
	is_array(value.requests)
	every request in value.requests {
		is_object(request)
		_is_claude(request)
		is_number(request.count)
	}
}

_is_agent(value) if is_null(value)

_is_agent(value) if {
	_has_things(value)
}

_is_events(value) if is_null(value)

_is_events(value) if {
	every name in ["count", "text_bytes"] { is_number(value[name]) }
	_is_texts(value.types)
}

_is_upload(value) if is_null(value)

_is_upload(value) if {
	every name in ["bytes", "count"] { is_number(value[name]) }
	every name in ["extensions", "content_types"] { _is_texts(value[name]) }
	is_boolean(value.truncated)
	is_array(value.parts)
	every part in value.parts {
		_has_texts(part, ["field", "filename", "content_type"])
		is_number(part.bytes)
	}
}

_has_things(value) if {
	every name in ["models", "tool_names", "tool_types", "mcp_server_names", "mcp_server_hosts"] { _is_texts(value[name]) }
	is_array(value.mcp_toolsets)
	every toolset in value.mcp_toolsets { _is_toolset(toolset) }
	is_array(value.skills)
	every skill in value.skills { _has_texts(skill, ["type", "id", "version"]) }
}

_is_toolset(value) if {
	_has_texts(value, ["server", "host"])
	is_boolean(value.open)
	every name in ["on", "off"] { _is_texts(value[name]) }
}

_is_answer(value) if {
	_has_texts(value, ["outcome", "stop_reason", "model"])
	every name in ["status", "input_tokens", "output_tokens"] { _is_number_or_null(value[name]) }
	_is_texts(value.tool_names)
}

_is_number_or_null(value) if is_null(value)

_is_number_or_null(value) if is_number(value)

_is_texts(value) if {
	is_array(value)
	every text in value { is_string(text) }
}

_has_texts(value, names) if {
	is_object(value)
	every name in names { is_string(value[name]) }
}
