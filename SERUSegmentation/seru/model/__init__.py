"""Models: their card, their store, the network, the engines that run it."""
