"""What a script would do instead: users' values through msgraph-sdk, one awaited PATCH after another, or many at once.

    python -m bench.strangers BASE_URL TOKEN EXTENSION AT_ONCE FIRST LAST

Runs as a process of its own, as such scripts do; prints the seconds of its writes."""

import asyncio
import sys
import time

from kiota_abstractions.authentication import ApiKeyAuthenticationProvider, KeyLocation
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.user import User

from tests.emulator.big import user_id


async def write(base: str, token: str, extension: str, at_once: int, numbers: range) -> float:
    # A given token: signing in is not part of the comparison.
    authentication = ApiKeyAuthenticationProvider(KeyLocation.Header, f"Bearer {token}", "Authorization")
    adapter = GraphRequestAdapter(authentication)
    adapter.base_url = base
    client = GraphServiceClient(request_adapter=adapter)
    slots = asyncio.Semaphore(at_once)

    async def patch(number: int) -> None:
        async with slots:
            await client.users.by_user_id(user_id(number)).patch(User(additional_data={extension: "en,de"}))

    await patch(numbers[0])  # connections and imports are not part of it
    started = time.perf_counter()
    if at_once == 1:
        for number in numbers[1:]:
            await patch(number)
    else:
        await asyncio.gather(*(patch(number) for number in numbers[1:]))
    return time.perf_counter() - started


if __name__ == "__main__":
    base, token, extension = sys.argv[1:4]
    at_once, first, last = map(int, sys.argv[4:7])
    print(asyncio.run(write(base, token, extension, at_once, range(first, last + 1))))
