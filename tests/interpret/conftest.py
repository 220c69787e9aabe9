"""One thread for tensors: these tests are small, and threads that wait for a busy core make them slow."""

import torch

torch.set_num_threads(1)
