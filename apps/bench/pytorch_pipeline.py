#!/usr/bin/env python3
"""Times torchvision's pipeline from JPEG files to batches, the counterpart of `radial-bench pipeline`; prints JSON.

ImageFolder (Pillow), RandomResizedCrop(size), RandomHorizontalFlip, ToTensor, Normalize in a DataLoader's processes.
"""
import argparse
import json
import statistics
import time

import torch
import torchvision
from torchvision import transforms


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder with train/CLASS/*.JPEG")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=5)
    args = parser.parse_args()
    transform = transforms.Compose([
        transforms.RandomResizedCrop(args.size), transforms.RandomHorizontalFlip(), transforms.ToTensor(),
        transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])
    images = torchvision.datasets.ImageFolder(f"{args.data}/train", transform)
    loader = torch.utils.data.DataLoader(images, args.batch, shuffle=True, num_workers=args.workers,
                                         persistent_workers=args.workers > 0)
    times = []
    for _ in range(args.epochs + 1):  # the first starts the processes
        start = time.perf_counter()
        for batch, _labels in loader:
            batch[0, 0, 0, 0].item()
        times.append(time.perf_counter() - start)
    median = statistics.median(times[1:])
    print(json.dumps({"program": f"torchvision {torchvision.__version__}", "images": len(images),
                      "milliseconds": 1000 * median, "images_per_second": len(images) / median}))


if __name__ == "__main__":
    main()
