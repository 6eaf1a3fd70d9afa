"""Directory extension properties of an application, v1.0: the attributes a tenant adds to its users. Paths:
/applications/{object id}/extensionProperties (POST 201, GET, DELETE 204, no PATCH: a change is a replacement) and
/directoryObjects/getAvailableExtensionProperties, which only reads. 404: no such application or property, or a stale
replica. Conflict (400 or 409, status D): the name exists, in any case. Quirks: a POST to a young application may answer
201 and lose the property (C: A4.3), so it is listed after the create and posted once more when missing; it becomes
writable seconds to minutes after it exists (C: A4.2), and never without a service principal of the application (C:
A4.1). Values outlive a deleted property (A): callers clear them first."""

import re
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

from .directory_calls import DirectoryCalls, do_nothing
from .errors import NOT_CARRIED_OUT, Conflict, Forbidden, NotCreated, StillPending
from .models import ExtensionProperty
from .urls import literal, segment

AVAILABLE = "/directoryObjects/getAvailableExtensionProperties"
USABLE_WITHIN = 300.0
LISTED_WITHIN = 15.0  # after that a property that was answered with 201 counts as lost
NOT_USABLE_HINT = (
    "the application that owns it needs a service principal (enterprise application) in this tenant; "
    "create one if it is missing, then run the same command again"
)


class Extensions(DirectoryCalls):
    """Extension properties of applications."""

    def extension_properties(self, application_id: str, name: str = "") -> list[ExtensionProperty]:
        """All of an application, or those of that full name (without case, as Graph writes)."""
        params = {"$filter": f"name eq {literal(name)}"} if name else None
        listed = map(ExtensionProperty.read, self._client.pages(_collection(application_id), params=params))
        return [extension for extension in listed if not name or extension.name.lower() == name.lower()]

    def find_extension_property(self, application_id: str, name: str) -> ExtensionProperty | None:
        """The property of that full name; None only once three lists did not show it."""
        return self._unless_absent(lambda: next(iter(self.extension_properties(application_id, name)), None))

    def extension_exists(self, application_id: str, name: str) -> bool:
        return self.find_extension_property(application_id, name) is not None

    def extension_property(self, application_id: str, property_id: str) -> ExtensionProperty | None:
        """None only after a confirmed 404."""
        path = f"{_collection(application_id)}/{segment(property_id)}"
        return self._unless_absent(lambda: ExtensionProperty.read(self._client.entity(path)))

    def create_extension_property(
        self, application_id: str, *, name: str, data_type: str, multi_valued: bool, target_objects: Sequence[str]
    ) -> ExtensionProperty:
        """POST, then wait until it is listed. `name` is the short one. Raises NotCreated when Graph certainly did not
        create it, Conflict when the name is taken, StillPending when the tenant answered 201 twice and lists nothing.
        """
        full_name = re.compile(rf"extension_[0-9a-f]{{32}}_{re.escape(name)}", re.IGNORECASE)
        path, targets = _collection(application_id), list(target_objects)
        body = {"name": name, "dataType": data_type, "isMultiValued": multi_valued, "targetObjects": targets}

        def created() -> ExtensionProperty | None:
            for extension in self.extension_properties(application_id):
                has_shape = (extension.data_type, extension.multi_valued) == (data_type, multi_valued)
                if has_shape and full_name.fullmatch(extension.name):
                    return extension
            return None

        try:
            self._client.write("POST", path, body, landed=created)
        except NOT_CARRIED_OUT as problem:
            raise NotCreated(problem.operation, problem.words, problem.hint) from problem
        what = f"GET {path} after the creation of {name}"
        try:
            return self.wait_for(created, what, LISTED_WITHIN)
        except StillPending:
            with suppress(Conflict):  # it exists after all, the list is late
                self._client.write("POST", path, body, landed=created)
            return self.wait_for(created, what)

    def delete_extension_property(self, application_id: str, property_id: str) -> None:
        """DELETE; a property that is gone already is a success. Clear its values first, they outlive it."""
        self._delete(f"{_collection(application_id)}/{segment(property_id)}")

    def wait_usable(self, names: Collection[str], on_long_wait: Callable[[], object] = do_nothing) -> bool:
        """True once values of all these full names can be written; False when the identity may not ask (403). One
        request when they are usable already. Raises StillPending after `USABLE_WITHIN` seconds. `on_long_wait`: as
        `Wait` has it."""
        wanted = {name.lower() for name in names}

        def usable() -> bool:
            listed = self._client.rest_of(AVAILABLE, self._client.action(AVAILABLE, {}))
            return wanted <= {str(body.get("name", "")).lower() for body in listed}

        what = f"waiting until {', '.join(sorted(names))} can be written"
        try:
            self.wait_for(usable, what, USABLE_WITHIN, NOT_USABLE_HINT, on_long_wait)
        except Forbidden:
            return False
        return True


def _collection(application_id: str) -> str:
    return f"/applications/{segment(application_id)}/extensionProperties"
