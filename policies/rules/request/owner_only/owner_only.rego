# METADATA
# title: Things in Claude's workspace belong to whom they were given first
# description: |
#   Who shares a key of Claude shares its workspace: an id is all it takes to use a file, batch, skill, container,
#   session, agent, environment, deployment, memory store, dream, user profile or vault. `lists.ownership.open` says which `kinds` are open although they are of `others` or of nobody known. The
#   message is the same for both, so that nobody learns from it which ids there are.
# scope: package
# schemas:
#   - input: schema.request.input
#   - data.lists.ownership: schema.ownership.list
package skilltape.rules.request.owner_only

import data.skilltape.lib.when

findings contains {"effect": "deny", "message": message} if {
	some thing in input.owners
	not _passes(thing)
	message := concat(" ", [
		$"This request names {_words(thing.kind)} that you were not given through this gateway.",
		"Ask its operators if you should be able to use it.",
	])
}

_passes(thing) if thing.owner == "mine"

_passes(thing) if {
	some entry in when.met(data.lists.ownership.open)
	thing.kind in entry.kinds
	thing.owner in entry.owners
}

_words(kind) := "a message of a thread" if {
	kind == "message"
} else := "a message to compare with" if {
	kind == "compared_message"
} else := $"an {kind}" if {
	kind in {"agent", "environment"}
} else := $"a {replace(kind, "_", " ")}"
