# METADATA
# title: A list says of whom no name is shown
# description: |
#   Each of `lists.privacy.rules` says for its exchanges what the index shows of who called: `person` `pseudonym` in place
#   of name, mail address and subject, `address` `dropped`, `groups` `dropped`.
# scope: package
# schemas:
#   - input: schema.record.input
#   - data.lists.privacy: schema.privacy.list
package skilltape.rules.record.privacy_by_list

import data.skilltape.lib.when

findings contains {"privacy": said, "message": "A list says what is shown of who called."} if {
	some entry in when.met(data.lists.privacy.rules)
	said := object.remove(entry, {"when"})
}
