"""A signal with many listeners that none of them can miss."""

import asyncio


class Broadcast:
    """Counts its rings; whoever knows a count waits for the next one."""

    def __init__(self) -> None:
        self.count = 0
        self._event = asyncio.Event()

    def notify(self) -> None:
        self.count += 1
        self._event.set()
        self._event = asyncio.Event()

    async def since(self, count: int) -> None:
        """Return once it rang after `count` was read."""
        while self.count == count:
            await self._event.wait()
