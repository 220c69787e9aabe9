"""What went wrong? Five runs to guess, your own runs with their verdicts, and logs from elsewhere."""

from core.diagnose import diagnose
from core.ui import diagnosis, page

page.begin("diagnose", "What went wrong?")
diagnosis.show()
page.explain("diagnose", source=diagnose)
diagnosis.next_step()
