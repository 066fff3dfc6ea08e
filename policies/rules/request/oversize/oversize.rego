# METADATA
# title: Requests that are larger than a list allows
# description: |
#   Each of `lists.sizes.rules` has the most that a request of its callers may have of something, and the `effect` of more.
#   Of a batch each request counts by itself.
# scope: package
# schemas:
#   - input: schema.request.input
#   - data.lists.sizes: schema.sizes.list
package skilltape.rules.request.oversize

import data.skilltape.lib.facts
import data.skilltape.lib.when

findings contains {"effect": entry.effect, "message": message} if {
	some entry in when.met(data.lists.sizes.rules)
	some name, words in _words
	most := entry[name]
	some size in _sizes(name)
	size > most
	message := $"The request has {size} {words}; at most {most} are let through."
}

_words := {
	"body_bytes": "bytes",
	"text_bytes": "bytes of text",
	"max_tokens": "tokens as max_tokens",
	"messages": "messages",
	"tools": "tools",
	"files": "files",
	"batch_requests": "requests in its batch",
}

# Functions: a rule of this package would be reckoned for each request, and a verdict is only given again for a request
# of equal sizes where something looked at them.
_sizes("body_bytes") := {bytes | bytes := input.body.decoded_bytes}

_sizes("text_bytes") := {request.text_bytes | some request in facts.requests} | {bytes | bytes := input.events.text_bytes}

_sizes("max_tokens") := {request.max_tokens | some request in facts.requests}

_sizes("messages") := {request.message_count | some request in facts.requests}

_sizes("tools") := {count(request.tool_types) | some request in facts.requests} | {size |
	size := count(input.agent.tool_types)
}

_sizes("files") := {size | size := input.upload.count}

_sizes("batch_requests") := {size | size := input.batch.size}
