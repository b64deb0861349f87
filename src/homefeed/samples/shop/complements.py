"""Complements in the shop sample: who buys one product has a use for the other."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

import numpy as np

from homefeed.samples.shop.wares import SHELVES
from homefeed.types import Codes, Floats

KINDS: Final = tuple(
    f"{shelf.audience.lower()} {kind.names[0]}".strip() for shelf in SHELVES for kind in shelf.kinds
)
"""Every kind of product, shelf by shelf: the audience, if there is one, and its most common name."""

SLOTS: Final = 6
"""The maximum number of complements of a kind."""

_TO_ACCESSORY: Final = 1.0
_TO_FELLOW: Final = 0.45  # from one accessory to another of the same product
_TO_MAIN: Final = 0.2

# Each line: a product, and its complements.
_SETS: Final = """
smartphone: phone case, screen protector, phone charger, power bank, usb-c cable
refurbished smartphone: phone case, phone charger, screen protector
tablet: screen protector, usb-c cable
smartwatch: watch strap, fitness tracker
smart tv: soundbar, streaming stick, tv wall mount, hdmi cable, tv unit
mirrorless camera: memory card, camera tripod, camera bag
action camera: memory card, selfie stick
instant camera: instant film, picture frame
laptop: wireless mouse, laptop sleeve, usb hub, laptop backpack, laptop stand
gaming laptop: mechanical keyboard, gaming headset, mouse pad
student laptop: laptop sleeve, wireless mouse, usb stick
computer monitor: monitor arm, hdmi cable, webcam
wireless mouse: mouse pad
inkjet printer: ink cartridge, copy paper
laser printer: toner cartridge, copy paper
wifi router: wifi extender
game console: game controller, racing game, adventure game, charging dock
coffee machine: coffee beans, coffee mugs, ground coffee, coffee capsules
ground coffee: coffee filters
electric kettle: green tea, black tea, coffee mugs
hand mixer: cake mix, baking tray
washing machine: laundry detergent, laundry basket
dishwasher: dishwasher tablets
air purifier: purifier filter
vacuum cleaner: vacuum bags
steam iron: ironing board, hangers
frying pan: utensil set, olive oil
baking tray: flour, baking powder, oven gloves, icing sugar
flour: baking powder, baking chocolate
pasta: pasta sauce, olive oil
rice: curry paste, spice set
crisps: salsa
dinner set: cutlery set, wine glasses, tablecloth
bed frame: mattress, bed linen, bedside table, pillow
mattress: mattress protector, bed linen
duvet: bed linen, pillow
bath towels: bath mat, bathrobe
shower curtain: bath mat
table lamp: led bulb
floor lamp: led bulb
sofa: cushion cover, coffee table, blanket, rug
desk: office chair, table lamp
office chair: seat cushion
wardrobe: hangers, storage box
men's suit: men's shirt, men's tie, men's formal shoes, men's belt
men's formal shoes: men's shoe polish, men's socks
men's running shoes: men's socks, fitness tracker
men's trousers: men's belt
men's razor: men's razor blades, men's shaving foam, men's aftershave
women's dress: women's heels, women's handbag, women's necklace
women's skirt: women's tights, women's blouse
women's earrings: women's necklace, women's jewellery box
women's running shoes: fitness tracker, water bottle
shampoo: hair conditioner, hair oil
hair dryer: hair brush
face wash: face cream, face serum
foundation: make-up brushes, make-up remover
mascara: make-up remover
electric toothbrush: toothbrush heads, toothpaste
nappies: baby wipes, nappy cream, changing mat
baby bottle: bottle steriliser
cot: cot mattress, baby monitor
pram: pram rain cover
kids' raincoat: kids' wellies
kids' school bag: colouring pencils, pencil case
doll house: doll
rc car: aa batteries
toy train: aa batteries
jigsaw puzzle: puzzle mat
colouring pencils: colouring book, craft paper
craft paper: glue stick
badminton racket: shuttlecocks, racket grip
tennis racket: tennis balls, racket grip
yoga mat: yoga block, resistance bands
dumbbells: resistance bands
mountain bike: bike helmet, bike lock, bike light, bike pump, water bottle
tent: sleeping bag, camping mat, camping stove, head torch
camping stove: gas cartridge
football: shin pads
swimsuit: swimming goggles, swim cap
suitcase: packing cubes, luggage tag, neck pillow, travel adapter
dog lead: dog collar, poo bags
dog food: dog treats, dog bed
litter tray: cat litter
cat food: cat toy, scratching post
fish tank: fish food, aquarium filter, aquarium gravel
garden hose: hose nozzle
plant pot: potting soil, vegetable seeds
secateurs: gardening gloves
barbecue: charcoal, grill tongs
garden chair: patio cushion, parasol
cordless drill: drill bits, screws
circular saw: saw blades
sander: sandpaper
hammer: nails
screwdriver set: screws, toolbox
wall paint: paint brushes, paint roller, masking tape, dust sheet
fountain pen: ink bottle, notebook
stapler: staples
ring binder: hole punch, plastic wallets
dash cam: memory card, car charger
car phone holder: car charger
seat covers: car mats
car shampoo: microfibre cloths, car wax, wheel cleaner
acoustic guitar: guitar strings, guitar picks, guitar stand
electric guitar: guitar amplifier, guitar picks
digital piano: keyboard stand
microphone: pop filter, audio interface
"""


@cache
def pairs() -> dict[tuple[int, int], float]:
    """The complements as (kind, its complement), with the strength of the link: 0 to 1."""
    number = {name: code for code, name in enumerate(KINDS)}
    found: dict[tuple[int, int], float] = {}
    for line in _SETS.strip().splitlines():
        main, *others = (number[name] for name in re.split(": |, ", line))
        links = [(main, other, _TO_ACCESSORY) for other in others]
        links += [(other, main, _TO_MAIN) for other in others]
        links += [(one, other, _TO_FELLOW) for one in others for other in others if one != other]
        for one, other, strength in links:
            found[one, other] = max(found.get((one, other), 0.0), strength)
    return found


@cache
def slots() -> tuple[Codes, Floats]:
    """The strongest complements of every kind, (kinds, SLOTS), -1 where it has fewer; and their strengths."""
    codes = np.full((len(KINDS), SLOTS), -1, np.int32)
    strengths = np.zeros((len(KINDS), SLOTS), np.float32)
    of: dict[int, list[tuple[float, int]]] = {}
    for (one, other), strength in pairs().items():
        of.setdefault(one, []).append((-strength, other))
    for kind, others in of.items():
        best = sorted(others)[:SLOTS]
        codes[kind, : len(best)] = [other for _, other in best]
        strengths[kind, : len(best)] = [-strength for strength, _ in best]
    return codes, strengths
