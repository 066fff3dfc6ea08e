# METADATA
# title: Only listed operators may look
# description: |
#   An entry of `lists.console.operators` names `actions`, and who may take them by `users`, `uids` or `groups`; where it
#   names `connections` or `types`, everything that is looked at must be among them. One entry must fit as a whole.
# scope: package
# schemas:
#   - input: schema.console.input
#   - data.lists.console: schema.operators.list
package skilltape.rules.console.operator_listed

findings contains {"message": "You are not among the operators who may look at this."} if {
	not _listed
}

_listed if {
	some entry in data.lists.console.operators
	input.action in entry.actions
	_names_operator(entry)
	_covers_connection(entry)
	_covers_types(entry)
}

_names_operator(entry) if input.operator.name in entry.users

_names_operator(entry) if input.operator.uid in entry.uids

_names_operator(entry) if {
	some group in input.operator.groups
	group in entry.groups
}

_covers_connection(entry) if not entry.connections

_covers_connection(entry) if input.connection in entry.connections

_covers_types(entry) if not entry.types

_covers_types(entry) if {
	every type in input.types { type in entry.types }
}
