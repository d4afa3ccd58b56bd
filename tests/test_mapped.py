"""Images that do not fit into memory: in which pieces they are read, and where what is taken of them lies."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from aae_core.data import embedded, mapped
from aae_core.data import images as images_module


@pytest.mark.parametrize(("piece", "lengths"), [(100, [11, 11, 3]), (9, [1] * 25), (1, [1] * 25), (1000, [25])])
def test_pieces_hold_as_many_images_as_fit_and_one_at_least(monkeypatch, piece, lengths):
    monkeypatch.setattr(mapped, "PIECE", piece)
    array = np.arange(225, dtype=np.uint8).reshape(25, 3, 3)
    pieces = list(mapped.pieces_of(array))
    assert [len(each) for each in pieces] == lengths and (np.concatenate(pieces) == array).all()
    assert list(mapped.pieces_of(array[:0])) == []


@pytest.mark.parametrize(("n", "in_a_file"), [(10, False), (50, False), (51, True), (90, True)])
def test_what_is_taken_lies_in_a_file_where_it_is_large_itself(monkeypatch, n, in_a_file):
    """Each image has four numbers of four bytes; 800 bytes are still small."""
    images, written = torch.arange(400.0).view(100, 1, 2, 2), []
    gathered = mapped.gathered
    monkeypatch.setattr(mapped, "LARGE", 800)
    monkeypatch.setattr(mapped, "PIECE", 64)

    def noted(pieces, most):
        parts = list(pieces)
        written.extend(map(len, parts))
        return gathered(iter(parts), most)

    monkeypatch.setattr(mapped, "gathered", noted)
    index = torch.randperm(100, generator=torch.Generator().manual_seed(0))[:n]
    mask = torch.zeros(100, dtype=torch.bool)
    mask[index] = True
    assert torch.equal(mapped.taken(images, index), images[index])
    assert torch.equal(mapped.taken(images, mask), images[mask])
    assert (max(written, default=0) == 4) == in_a_file  # four images a piece
    assert mapped.taken(images[:50], index % 50).shape == (n, 1, 2, 2)


def test_batches_of_a_large_file_are_read_ahead_and_come_in_their_order(monkeypatch):
    """As many at a time as there are threads, while the one before is learnt from; and no more than are asked for."""
    images, asked = torch.arange(400.0).view(100, 1, 2, 2), []

    class Slow:
        nbytes = images.nbytes

        def __len__(self):
            return len(images)

        def __getitem__(self, place):
            asked.append(place)
            time.sleep(0.2 * torch.rand(()).item())
            return images[place]

    places = torch.randperm(100, generator=torch.Generator().manual_seed(0)).split(2)
    coming = mapped.read_ahead(Slow(), places)
    for place in places[:10]:
        assert torch.equal(next(coming), images[place])
    assert len(asked) <= 10 + mapped.AHEAD < len(places)
    begin = time.perf_counter()
    coming.close()
    assert time.perf_counter() - begin < 5 and len(asked) <= 10 + mapped.AHEAD
    assert all(
        torch.equal(batch, images[place])
        for batch, place in zip(mapped.read_ahead(images, places), places, strict=True)
    )
    assert list(mapped.read_ahead(images, [])) == []
    asked.clear()
    monkeypatch.setattr(
        mapped, "PIECE", 3 * images[:2].nbytes // 2
    )  # of such images it reads three batches, and no more
    next(coming := mapped.read_ahead(Slow(), places))
    coming.close()
    assert len(asked) <= 1 + 3


def test_a_place_that_is_not_there_is_told_where_its_batch_is_asked_for():
    images = torch.arange(400.0).view(100, 1, 2, 2)
    coming = mapped.read_ahead(images, [torch.tensor([0]), torch.tensor([100])])
    assert torch.equal(next(coming), images[:1])
    with pytest.raises(IndexError):
        next(coming)


def test_an_epoch_of_a_large_file_is_that_of_the_same_images_in_memory(monkeypatch):
    digits = embedded().train.subset(slice(100))
    epochs = []
    for large in (2**29, 0):
        monkeypatch.setattr(images_module, "LARGE", large)
        epochs.append(list(digits.batches(32, torch.Generator().manual_seed(0))))
    for whole, streamed in zip(*epochs, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(whole, streamed, strict=True))
