"""Where the units of work run: in this process, in others on this machine, or on the workers of a Dask cluster.

=========== ==========================================================================================
``choice``  what all of them offer, and which one is meant by ``local`` or ``dask://HOST:PORT``
``local``   here, or in worker processes of this machine, which end with the process that started them
``dask``    on the workers of a cluster, which were there before the run and stay after it
``code``    whether another process would make the same numbers: its program, its Python, its libraries
=========== ==========================================================================================

The outcome of a unit does not depend on where it is worked on. A worker that dies costs its own unit only.
"""

from stromagate.pipeline.executor.choice import LOCAL, Workers, workers
from stromagate.pipeline.executor.local import Here, begun, each

__all__ = ["LOCAL", "Here", "Workers", "begun", "each", "workers"]
