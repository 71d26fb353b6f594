"""The hosted models of Black Forest Labs: checked, priced, sent once, polled, and kept as files.

`ask` makes a request of values, `agree` lets it pass or asks the person, `run` pays for it and
returns the picture. Source of what is sent and read: the vendor's description in `endpoints.toml`.
"""

from tools.engines.bfl.account import Account, Waits, Webhook
from tools.engines.bfl.asking import Asked, agree, ask
from tools.engines.bfl.free import balance, delete_finetune, finetune_details, finetunes
from tools.engines.bfl.hosts import REGIONS, Hosts, hosts_of
from tools.engines.bfl.keys import read_key, without_keys
from tools.engines.bfl.prices import Price
from tools.engines.bfl.tasks import Made, Payer, provider, resume, run
from tools.engines.bfl.webhooks import is_signed

__all__ = [
    "REGIONS", "Account", "Asked", "Hosts", "Made", "Payer", "Price", "Waits", "Webhook", "agree",
    "ask", "balance", "delete_finetune", "finetune_details", "finetunes", "hosts_of", "is_signed",
    "provider", "read_key", "resume", "run", "without_keys",
]  # fmt: skip
