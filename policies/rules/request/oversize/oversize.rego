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
	some size in _sizes[name]
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

_sizes.body_bytes contains input.body.decoded_bytes

_sizes.text_bytes contains request.text_bytes if some request in facts.requests

_sizes.text_bytes contains input.events.text_bytes

_sizes.max_tokens contains request.max_tokens if some request in facts.requests

_sizes.messages contains request.message_count if some request in facts.requests

_sizes.tools contains count(request.tool_types) if some request in facts.requests

_sizes.tools contains count(input.agent.tool_types)

_sizes.files contains input.upload.count

_sizes.batch_requests contains input.batch.size
