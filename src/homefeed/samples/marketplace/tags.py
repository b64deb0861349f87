"""What is asked for in the sample: tags in families, what each pays on the whole, and titles for its listings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from homefeed.samples import Weights, Words, paragraphs, split


@dataclass(frozen=True)
class Tag:
    """A tag: its id and name, the family that it is of, its median compensation, and titles of listings."""

    tag_id: str
    name: str
    family: str
    typical: float
    titles: Words


def _read(text: str) -> tuple[Tag, ...]:
    """Tags of paragraphs as below: a family, and by tag its name, its compensation and titles after a slash."""
    tags = []
    for family, words in paragraphs(text):
        for part in split(words, "; "):
            head, _, titles = part.partition(" / ")
            name, _, typical = head.rpartition(" ")
            tag_id = re.sub(r"[^a-z]+", "-", name.lower())
            tags.append(Tag(tag_id, name, family, float(typical), split(titles, ", ")))
    return tuple(tags)


TAGS: Final = _read("""
Pets: Dog walking 16 / Walk a lively puppy, Walk two calm dogs, Morning walks for an old spaniel; Pet sitting 30
  / Look after two cats, Feed a parrot over the holidays, Stay with a nervous rescue dog; Grooming 38 / Clip a
  woolly poodle, Bath and brush for a long-haired cat
Moving: Moving 75 / Carry boxes to a third floor, Move a piano two streets away, Help to empty a flat; Delivery
  22 / Bring a parcel across town, Collect a sofa with a van, Deliver leaflets; Assembly 42 / Put together a
  wardrobe, Assemble six desks, Build a bunk bed
Repairs: Plumbing 90 / Stop a dripping tap, Fit a new washbasin, Clear a blocked drain; Electrics 95 / Hang four
  ceiling lamps, Find out why the fuse blows, Fit a doorbell; Painting 85 / Paint a small bedroom, Paint a
  garden fence, Touch up a stairway; Carpentry 100 / Plane a door that sticks, Build shelves into a corner, Mend
  a window frame
Cleaning: House cleaning 40 / Clean a three-room flat, Deep clean before we move in, Weekly cleaning of a
  terrace house; Window cleaning 34 / Clean eleven windows, Shop windows inside and out; Laundry 20 / Iron
  thirty shirts, Wash and fold for a family of five
Garden: Gardening 36 / Weed the vegetable beds, Plant forty bulbs, Water plants for two weeks; Lawn care 28 /
  Mow a large lawn, Edge and feed the lawn; Tree work 110 / Fell a small dead cherry, Prune apple trees
Care: Child minding 45 / Mind two children after school, An evening with a toddler, Bring children to practice;
  Care of the elderly 48 / Keep my father company, Shopping and a chat twice a week, Cook lunch for my aunt;
  First aid 60 / First aid at a street race, Stand by at a youth tournament
Lessons: Mathematics 44 / Help with calculus, Prepare for the entrance exam, Fractions with patience; Languages
  38 / Practise spoken English, Spanish for beginners, Portuguese over coffee; Music lessons 50 / Guitar from
  scratch, Piano for a ten-year-old, Singing in a small group; Swimming lessons 40 / Teach two adults to swim,
  Front crawl for a teenager
Computers: Computer help 46 / Set up a new laptop, Rescue photos from an old disk, Make the printer print; Web
  design 140 / A page for a bakery, Refresh the site of our club; Data entry 32 / Type up paper invoices,
  Catalogue a small library; Programming 160 / A script for our bookings, Fix a small web shop
Events: Catering 120 / Dinner for twelve, Canapés for an opening, Breakfast for a workshop; Waiting tables 70 /
  Serve at a wedding, An evening behind the bar; Music for events 150 / Play at a garden party, A string duo for
  a wedding, Records for a birthday; Photography 130 / Portraits of a family of four, Photograph a christening,
  Pictures of forty dishes
Writing: Translation 65 / Translate a menu, Translate letters from Portuguese; Proofreading 48 / Read through a
  thesis, Correct a brochure; Copywriting 80 / Texts for a flower shop, Ten product descriptions
Sport: Personal training 55 / Get me fit for a half marathon, Strength twice a week; Yoga 45 / Yoga in the park,
  Gentle yoga for backs; Football coaching 42 / Coach eight-year-olds on Saturdays, Goalkeeper training
Errands: Shopping 18 / Do my weekly shopping, Find a birthday present; Queueing 15 / Queue for concert tickets,
  Hold a place at the office; Driving 52 / Drive us to the airport, Bring a rental car back; Housesitting 34 /
  Water the plants and take in the post, Stay in our flat in August
""")  # fmt: skip
"""All tags, by family."""

FAMILY: Final = np.unique([tag.family for tag in TAGS], return_inverse=True)[1].astype(np.int32)
"""(tags,) the number of each tag's family."""

TYPICAL: Final = np.array([tag.typical for tag in TAGS])
"""(tags,) the median compensation."""

SHARES: Final[Weights] = 1 / (4.0 + np.arange(len(TAGS)) * 17 % len(TAGS))
"""(tags,) how much is asked for of each, and how many like it."""
