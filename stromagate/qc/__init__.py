"""What may be wrong with a tube: checks that turn values into findings."""

from __future__ import annotations

from stromagate.qc.check import Evidence as Evidence
from stromagate.qc.run import check_tube as check_tube
