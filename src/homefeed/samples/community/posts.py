"""The texts of the community sample: the words of every interest, and the sentences they go into."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Final

import numpy as np

from homefeed.samples import Rng, Words, paragraphs, split

KINDS: Final = ("post", "event", "service", "offer", "poll", "announcement")
"""The item types of the contract."""

_MAX_SIMILARITY: Final = 0.36  # Jaccard similarity of word pairs: below that of a near-duplicate
_ATTEMPTS: Final = 24
_COMPARED: Final = 60  # earlier texts that a new one is compared with: bounds the time for large samples


@dataclass(frozen=True)
class Topic:
    """The words of one interest: activities and things take no article, chores follow "help with"."""

    activities: Words
    things: Words
    chores: Words
    details: Words


@dataclass(frozen=True)
class Draft:
    """The words of an item."""

    title: str
    sentences: Words
    opening: str  # the first sentence with its gaps

    @property
    def text(self) -> str:
        """The sentences as one text."""
        return " ".join(self.sentences)

    def pairs(self, word: str = r"\w+") -> set[str]:
        """The pairs of neighbouring words; a word is what the pattern matches."""
        words = re.findall(word, f"{self.title} {self.text}".casefold())
        return set(map(" ".join, pairwise(words)))

    def fits(self) -> bool:
        """Whether it has a realistic length."""
        return 3 <= len(self.title.split()) <= 8 and 25 <= len(self.text.split()) <= 52


def _topic(words: str) -> Topic:
    activities, things, chores, details = split(words, " / ")
    return Topic(split(activities, ", "), split(things, ", "), split(chores, ", "), split(details))


# Each paragraph: activities / things / chores / details.
TOPICS: Final = {tag: _topic(words) for tag, words in paragraphs("""
yoga: chair yoga, slow flow yoga, breathing practice, gentle stretching, yoga for stiff backs / cork blocks, yoga
  mats, foam rollers, bolsters, meditation cushions / easing lower back pain, a safe headstand, building a daily
  yoga habit, choosing a good mat / Ten minutes of breathing and my shoulders finally come down from my ears.
  {name} adapts every pose, so sore wrists are no obstacle. The wooden floor in the {place} is warm enough for
  bare feet. Nobody has to touch their toes, and falling asleep in the final rest is allowed.
running: interval training, easy long runs, half marathon training, slow jogging, charity runs / running shoes,
  reflective vests, race numbers, compression socks, hydration belts / shin splints, pacing a first ten
  kilometres, choosing shoes, running in icy weather / The loop along the canal is flat, lit at night and almost
  exactly five kilometres. We split into a chatty group and a fast one after the bridge. {name} shaved {count}
  minutes off a personal best last month. Anyone who can jog without stopping for {count} minutes will keep up.
cycling: gravel rides, family bike tours, bicycle repair sessions, cargo bike trials, commuter rides / bike
  lights, inner tubes, pannier bags, child seats, floor pumps / squeaky brakes, a slipping chain, truing a wheel,
  picking a touring bike / The new lane past the market makes the ride into town far less scary. A stand and most
  tools are in the {place}. {name} once rode to Denmark on a folding bike and still has the saddle. Tyres lose
  air quickly in the cold, so pump them up before setting off.
football: five-a-side football, walking football, penalty practice, family football, match screenings / shin
  pads, goalkeeper gloves, football boots, training bibs, corner flags / coaching the under-tens, booking the
  pitch, explaining the offside rule, washing the kits / Last time the match ended seven to six after a wonderful
  header by {name}. The artificial pitch behind the school is free whenever lessons are over. We mix the sides so
  that nobody loses every game. Screw-in studs damage the surface, plain trainers are perfect.
swimming: lane swimming, aqua fitness, lake swimming, crawl lessons, water polo practice / swimming goggles,
  kickboards, water wings, swim fins, dry bags / breathing in front crawl, fear of deep water, teaching toddlers
  to float, tumble turns / The pool on Mill Road opens two lanes for us when the school classes leave. Cold water
  stops being awful after the third dip, honestly. {name} is a trained lifeguard and stays at the edge. A group
  card brings the entrance down to {price}.
hiking: forest hikes, hill walks, full moon walks, hut trips, trail cleaning walks / walking poles, rucksacks,
  trail maps, gaiters, head torches / reading a topographic map, blisters on long walks, packing light,
  waterproofing boots / The path climbs gently through beech forest and opens onto a view over the whole valley.
  We take the regional train and are back before dark. {name} knows every mushroom along the way. Sturdy shoes
  are a must because the descent is muddy after rain.
diy: repair cafe sessions, shelf building, tiling practice, furniture restoring, wallpaper workshops / leftover
  floorboards, wall plugs, tins of paint, sandpaper packs, kitchen hinges / hanging heavy shelves, a dripping
  tap, sanding old floors, wiring a ceiling lamp / The walls in these buildings are harder than they look,
  ordinary screws simply bend. Two thin coats hold better than a thick one, as I learned the hard way. {name} has
  a spirit level as long as a door. Saw dust stays in the {place} if everyone sweeps up afterwards.
tools: tool library hours, tool sharpening, cordless drill training, workbench building, saw maintenance /
  cordless drills, socket sets, hand saws, tile cutters, step ladders / sharpening chisels, drilling into
  concrete, choosing a multimeter, oiling a plane / Most drills in this building are used for twelve minutes in
  their whole life. Everything is labelled and hangs on the pegboard in the {place}. Please return batteries
  charged and blades clean. {name} keeps the lending list and knows who has the long ladder.
gardening: balcony planting, seed swapping, compost turning, raised bed building, winter pruning / tomato
  seedlings, terracotta pots, watering cans, hand trowels, bags of compost / aphids on roses, overwintering
  geraniums, reviving a tired lawn, growing herbs in shade / The beds beside the {place} get sun from ten until
  four. Slugs ate my lettuce overnight, but the marigolds were spared. {name} saved the seeds of a bean that
  nobody else grows. Rain water from the barrel is free for everybody, just close the lid.
secondhand: flea markets, clothes swapping, book table sales, toy exchanges, furniture swaps / winter coats,
  dining chairs, picture frames, children's bikes, table lamps / pricing old furniture, photographing clothes for
  sale, moving a sofa, spotting real oak / Everything comes from a smoke-free home and has been cleaned. There is
  a small scratch on the left side that nobody sees against a wall. {name} furnished a whole flat from this board
  for under a hundred. What is left in the end goes to the charity shop.
sewing: mending circles, quilting bees, hemming lessons, patchwork circles, costume sewing / cotton fabrics,
  sewing patterns, zip fasteners, thread spools, pin cushions / shortening trousers, replacing a broken zip,
  threading an overlocker, letting out a waist / Three machines stand in the {place}, and one even does
  buttonholes. A torn pocket takes a quarter of an hour and saves a jacket. {name} worked as a tailor at the
  opera for years. Jeans need the thick needle, otherwise it snaps at the seam.
crafts: pottery painting, paper lantern making, basket weaving, linocut printing, candle dipping / beads, glue
  guns, watercolour sets, balls of wool, origami paper / casting on stitches, glazing mugs evenly, carving lino,
  dyeing with onion skins / My first bowl looked like a hat, and I still eat soup from it. Newspaper on the
  tables keeps the {place} presentable. {name} collects driftwood that makes surprisingly good frames. The kiln
  is fired once {count} pieces have gathered.
cooking: dumpling folding, curry cooking, soup kitchens, pasta making, long brunches / cast iron pans, spice
  jars, preserving jars, pressure cookers, recipe books / cooking for many guests, seasoning a pan, rescuing a
  salty stew, planning cheap dinners / The secret is roasting the cumin before it goes anywhere near the onions.
  The kitchen beside the {place} has an oven that holds four trays. {name} brought the recipe from Tbilisi and
  guards it well. There is always a pot without meat and one without dairy.
baking: sourdough baking, cookie decorating, cake swaps, pretzel twisting, wedding cake practice / cake tins, rye
  starters, proving baskets, piping bags, kitchen scales / a flat sourdough loaf, tempering chocolate,
  gluten-free pastry, icing a birthday cake / My starter is called Gerald and doubles in four hours near the
  radiator. Strong flour from the mill costs {price} a kilo if we order together. {name} weighs even the water,
  and it shows in the crumb. The whole staircase smelled of cinnamon until midnight.
childcare: toddler groups, homework help, babysitter matching, puppet theatre, playground picnics / prams,
  picture books, high chairs, baby monitors, wooden train tracks / school runs, settling a newborn at night,
  primary school maths, finding a nursery place / Our twins are four and will play with anyone who owns a
  dinosaur. The {place} has a soft floor and a gate that small hands cannot open. {name} has a first aid
  certificate for infants. Snacks without nuts please, because of an allergy.
pets: dog walks, puppy training, cat sitting rounds, rabbit grooming, pet first aid / dog leads, cat carriers,
  aquarium filters, scratching posts, hamster wheels / a puppy that pulls, walking dogs at noon, feeding cats
  during holidays, clipping claws / Bruno is an old labrador who loves everybody except the vacuum cleaner. Our
  cat vanished for two days and was asleep in the {place} all along. {name} worked for a vet and is not afraid of
  claws. Bags for the meadow hang on the post next to the gate.
board games: chess rounds, card game rounds, cooperative board games, role-playing sessions, puzzle races /
  jigsaw puzzles, chess clocks, strategy games, dice sets, playing cards / learning chess openings, explaining
  long rulebooks, replacing lost pieces, starting a campaign / One round lasts about {count} minutes once the
  rules have sunk in. {name} won three times in a row and will be ganged up on. There are {count} boxes on the
  shelf in the {place}, from family classics to heavy strategy. Sore losers get the first biscuit.
music: jam sessions, courtyard concerts, ukulele lessons, vinyl listening, drum circles / guitar strings, music
  stands, keyboards, amplifiers, vinyl records / tuning a violin, reading notation as an adult, recording a demo,
  soundproofing a bedroom / We know four songs by heart and fake the remaining ones cheerfully. The acoustics of
  the {place} flatter every trumpet. {name} played bass on ferries for ten summers. Amplifiers go off at nine
  sharp, as agreed with the people upstairs.
choir: choir rehearsals, gospel singing, carol singing, canon evenings, voice warm-ups / sheet music folders,
  choir robes, song books, tuning forks, pitch pipes / reaching high notes, singing in harmony, curing stage
  fright, finding more tenors / We have {count} altos and exactly one brave bass. No audition is held, humming
  along counts as singing. {name} conducts with a wooden spoon and endless patience. The first verse already
  sounds lovely when it echoes through the {place}.
film: film screenings, silent movie screenings, documentary screenings, short film contests, open-air cinema /
  projector lamps, film posters, DVD box sets, cinema seats, popcorn machines / cutting a short film, subtitling
  home videos, digitising old reels, picking a family movie / The projector throws a picture four metres wide
  onto the wall of the {place}. Original versions are shown with subtitles. {name} introduces the director in
  five minutes and spoils nothing. Half of us cried, the others pretended to look for their glasses.
photography: photo walks, portrait sessions, darkroom sessions, night photography, exhibition visits / tripods,
  camera bags, flash units, picture mounts, macro lenses / shooting in low light, editing raw files, a passport
  photo, sorting thousands of pictures / The fog above the roofs gave us the softest light of the year. Phones
  are as welcome as big cameras. {name} develops black and white film in the bathroom. The best {count} prints
  will hang in the {place} until spring.
books: book club meetings, poetry readings, author visits, bedtime story hours, library tours / crime novels,
  bookshelves, travel guides, reading lamps, comic albums / writing a first chapter, finding novels for
  teenagers, binding loose pages, sorting a home library / The ending divided us more than any election. The open
  shelf in the {place} is overflowing, so take two and bring one. {name} reads aloud in a voice made for winter
  evenings. Nobody checks whether you got past page fifty.
languages: Spanish conversation, language tandems, German for beginners, sign language practice, French
  conversation / grammar books, vocabulary cards, dictionaries, audio courses, phrase books / an official letter
  in German, preparing for a language exam, rolling the letter r, everyday Polish / Mistakes are the whole point,
  we laugh a lot and correct gently. Between us we speak {count} languages, and yet nobody speaks Finnish. {name}
  grew up in Seville and never runs out of stories. Half an hour each way works best for a tandem.
volunteering: food bank shifts, river clean-ups, blood donation days, neighbour visits, fundraising dinners /
  collection boxes, donation bags, high-visibility jackets, sleeping bags, gift parcels / driving for the food
  bank, sorting donations, writing a grant application, tutoring newcomers / Two hours a month are enough to make
  a real difference. {name} coordinates the shifts and never guilts anyone into more. Last autumn we filled
  {count} crates in a single afternoon. Gloves and coffee are waiting in the {place}.
recycling: bulky waste collection, glass recycling, compost training, battery collection, repair and reuse days /
  organic waste bins, bottle crates, paper sacks, jam jars, moving boxes / sorting plastics, an old mattress, a
  smelly compost bin, avoiding packaging / Pizza boxes with grease belong in the grey bin, not in the paper. The
  containers behind the {place} are emptied every second week. {name} measured that we threw away a fifth less
  than last year. Flattened cardboard leaves room for everyone else.
parking: parking permit renewal, bike rack allocation, visitor parking, car sharing, charging point booking /
  snow chains, roof racks, jump leads, ice scrapers, parking discs / a blocked garage exit, sharing a parking
  space, a flat car battery, applying for a permit / Delivery vans keep stopping on the marked crossing, which is
  dangerous for prams. Bay {count} is free while its owner is abroad. The barrier beside the {place} reads number
  plates now. {name} shares an electric car with three households and pays by the kilometre.
safety: fire drills, smoke alarm testing, first aid refreshers, neighbourhood watch rounds, self-defence basics /
  smoke alarms, door chains, first aid kits, window locks, key safes / a jammed front door, marking bicycles
  against theft, doorstep sellers, lighting a dark passage / Somebody rang several bells on {day} and claimed to
  read the meters. Keep escape routes in the stairwell free of shoes and prams. {name} from the fire brigade
  checked the extinguishers near the {place}. The lamp above the rear entrance works again.
seniors: coffee and cake meetings, memory training, tablet lessons, gentle gymnastics, bingo rounds / walking
  frames, large print books, shower stools, reading glasses, rummy sets / weekly shopping, setting up video
  calls, filling in care forms, trips to the doctor / {name} turned ninety and danced longer than anyone. The
  lift goes straight down to the {place}, there is no step. Stories about how the quarter looked in the sixties
  come for free. We fetch whoever does not like to walk alone after dark.
maintenance: boiler inspection, stairwell cleaning, lift repairs, roof works, water meter reading / radiator
  keys, spare tiles, light bulbs, door stoppers, window seals / a cold radiator, mould in the bathroom, a noisy
  ventilation shaft, a stuck blind / The water will be off for up to {count} hours in the upper floors. The
  company is called Berg and Sons, and its people carry badges. {name} reported the leak next to the {place}
  first. Radiators gurgle when there is air inside, bleeding them helps.
tech: coding clubs, 3D printing, smartphone clinics, soldering workshops, home network advice / wifi routers,
  laptop chargers, monitors, mechanical keyboards, printer cartridges / a slow laptop, moving photos to a new
  phone, weak wifi, recognising phishing messages / Restarting it really did solve the problem in half of the
  cases. The fibre connection reaches the {place} and will go up floor by floor. {name} builds tiny robots out of
  bottle caps. Make a backup first, then press all the buttons.
jobs: interview practice, career talks, job hunting circles, freelancer meetings, apprenticeship advice / office
  chairs, desk lamps, briefcases, presentation boards, standing desks / polishing a CV, a salary negotiation,
  finding a student job, the first tax return / The bakery around the corner needs someone {count} hours a week.
  Two pages are plenty, nobody reads a third one. {name} hired people for twenty years and gives honest feedback.
  There is a quiet desk with good light in the {place}.
""")}  # fmt: skip

_TITLES: Final = {name: split(words, " / ") for name, words in paragraphs("""
post: Any advice on {chore}? / Who else enjoys {activity}? / A small lesson about {things} / Looking for company:
  {activity} / My first weeks of {activity} / {name} got me into {activity}
event: Join us for {activity} / {activity} this {day} {time} / {activity} in the {place} / Now every {day}:
  {activity} / Last places for {activity} on {day} / Meet {name} for {activity}
service: Help offered: {chore} / I can assist with {chore} / {name} helps with {chore} / Need a hand? Try
  {activity} / Neighbourly help with {chore} / On {day}: help with {chore}
offer: {things} looking for a new home / Giving away {things} / {things} for {price} / To lend or keep: {things}
  / Free to collect on {day}: {things} / Spare {things} near the {place}
poll: Poll: {activity} or {other}? / Your vote on {activity}, please / Which day suits {activity} best? / Should
  we share {things}? / {activity} on {day}, yes or no? / Who would use {things}?
announcement: Notice: {activity} on {day} / Please note: {activity} from {day} / Update on {activity} /
  {activity}: what residents should know / New date for {activity}: {day} / {activity} {time}
""")}  # fmt: skip

_OPENINGS: Final = {name: split(words) for name, words in paragraphs("""
post: Since {day} I have been thinking about {activity}, and {name} told me to ask on this board. I am struggling
  with {chore} and could use some honest advice from the neighbours. On {day} {time} I met {name} in the {place}
  and we ended up talking about {activity}. Does anybody in the house have spare {things} or know where to find
  good ones? Some {count} months ago I got into {activity}, and it takes more of my {day} than expected. I have a
  question about {chore}, because the video {name} sent made it worse.
event: {name} and a few neighbours invite you to {activity} in the {place} on {day} {time}. This {day} {time} the
  {place} is ours for {activity}, and newcomers are very welcome. After a short break we are back with
  {activity}, every {day} {time} in the {place}. There are {count} places left for {activity}, starting {time} on
  {day} near the {place}. By popular demand we repeat {activity}, this time on {day} {time} with {name} as host.
  Keep {day} {time} free, because the {place} will be full of people who love {activity}.
service: I offer help with {chore}, usually on {day} {time}, for people in our buildings. If you need a hand with
  {chore}, I am around most weeks and own {things}. For {count} years I have looked after {activity} here, and I
  also advise on {chore}. Every {day} {time} I have an hour to support anybody with {chore}. {name} and I have
  teamed up to help with {chore}, at your home or in the {place}. New beside the {place}: a small service around
  {activity}, including {chore}.
offer: We are moving and our {things} cannot come along, so they are yours for {price}. On {day} I cleared the
  cellar and found {things} that deserve to be used again. Here are {things} in good shape, hardly needed since
  {name} gave up {activity}. Up for grabs are {things}, stored next to the {place} until {day}. Because I ordered
  twice, I can pass on {things} for {price} or a jar of jam. I lend {things} to anyone who needs them for {count}
  days, deposit {price}.
poll: We have money for one thing this season, either {activity} or {other}, so please vote by {day}. In the last
  meeting {name} proposed {activity} on {day} {time}, and we would like to know who agrees. The {place} is free
  on {day} {time}: would you rather see {activity} or {other}? Before we order {things} for {count} households,
  tell us whether you would use them at all. Which time suits you for {activity} near the {place}, {day} {time}
  or rather the weekend?
announcement: Please note that {activity} will take place on {day}, starting {time} at the {place}. From {day}
  there are new arrangements for {activity}, and the plan hangs in the {place}. The management has moved
  {activity} to {day} {time} because of works near the {place}. As announced at the last meeting, {activity} will
  begin on {day} {time}. Residents asked for clearer information about {activity}, so here is the schedule from
  {day} on. Because {name} from the office is away, {activity} will wait until {day}.
""")}  # fmt: skip

_CLOSINGS: Final = {name: split(words) for name, words in paragraphs("""
talk: I would love to hear how the rest of you do it. Write below what worked for you, even if it sounds odd.
  Happy to meet {time} on {day} in the {place} and compare notes. Every opinion counts, also from new tenants. My
  partner suggested asking here before spending {price} on it. I will post a summary once {count} people answer.
  If you prefer to talk, I am usually near the {place} {time}.
deal: Ring the bell marked {name} on {day} {time}, or send a message first. A cake for the coffee fund is all I
  ask. Send me a time that suits you, {day} is best. I live two floors above the {place} and answer quickly. My
  neighbour {name} can vouch for me. First come, first served, but I can keep a place until {day}. Just write a
  comment and I will get back to you by {day}.
event: Please sign up by {deadline} so that we know how many chairs to put out. It costs {price} per person, and
  children come along for free. Leave a comment if you are coming. There is room for {count} people at most. No
  need to register, just ring at the {place}. We finish by nine so that the neighbours above can sleep. Bring a
  friend from the building and something small to share. Rain moves it to {deadline}.
announcement: Questions go to {name} in the office, {deadline} {time}. A printed copy hangs in the {place} until
  {deadline}. Thank you for telling neighbours who do not read this board. It should take about {count} hours in
  all. Please keep the area around the {place} clear that day. We apologise for the noise and thank you for
  waiting. If you cannot be at home, leave a note with {name} by {deadline}.
bridge: Those who prefer {second} are in good hands too, as {name} organises that. We combine it with {second}
  when there is interest. Questions about {second_things} are fine too. Around here it goes together with
  {second} anyway. On the same {day} there will be {second} next door. Ask me about {second} as well.
""")}  # fmt: skip
_CLOSING: Final = {"post": "talk", "service": "deal", "offer": "deal", "poll": "talk"}

_SLOTS: Final = {name: split(words, ", ") for name, words in paragraphs("""
day: Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday
time: at 9 am, at 10:30, at noon, at 2 pm, at 3:30, at 5 pm, at 6 pm, at 6:30, at 7 pm, at 8 pm
place: common room, courtyard, roof terrace, laundry room, playroom, bike cellar, reading corner, front garden,
  lobby, guest flat, workshop, old gatehouse, winter garden, music room, tea kitchen, north entrance
name: Marta, Jonas, Aylin, Pierre, Olena, Samuel, Ingrid, Tomasz, Leila, Hugo, Nadia, Bram, Chiara, Emil, Fatima,
  George, Hana, Ivo, Judith, Kofi, Lucia, Mehmet, Nora, Oskar, Paula, Rafael, Sofia, Theo, Ursula, Viktor
count: four, five, six, seven, eight, nine, ten, eleven, twelve, fifteen, twenty
deadline: Monday, Tuesday, Wednesday, Thursday, Friday
price: two euros, three euros, four euros, five euros, eight euros, ten euros
""")}  # fmt: skip

NAMES: Final = {name: split(words, ", ") for name, words in paragraphs("""
community: riverside, oakfield, harbour, hillcrest, northgate, millbrook, southbank, parkview
tree: Linden, Maple, Rowan, Willow, Birch, Cedar, Alder, Hazel, Juniper, Elm, Aspen, Chestnut
building: Court, House, Row, Yard, Terrace, Place
""")}  # fmt: skip


class Writer:
    """Writes the items of all communities: no two of one community read the same."""

    def __init__(self, rng: Rng) -> None:
        self._rng = rng
        self._earlier: defaultdict[tuple[int, str], list[set[str]]] = defaultdict(list)
        self._openings: defaultdict[int, set[str]] = defaultdict(set)

    def write(self, community: int, kind: str, topic: str, second: str | None) -> Draft:
        """An item of a kind about a topic, and perhaps about a second one."""
        return self.unlike_earlier(community, topic, lambda: self._compose(kind, topic, second))

    def unlike_earlier(self, community: int, shelf: str, compose: Callable[[], Draft]) -> Draft:
        """What `compose` makes, repeated while it resembles an earlier item of the shelf or with its opening."""
        best, lowest, kept = Draft("", (), ""), np.inf, set[str]()
        for _ in range(_ATTEMPTS):
            draft = compose()
            pairs = draft.pairs()
            rivals = (self._earlier[community, key][-_COMPARED:] for key in (shelf, draft.opening))
            highest = max((similarity(pairs, rival) for rival in chain(*rivals)), default=0.0)
            if not draft.fits() or draft.sentences[0] in self._openings[community]:
                highest += 1.0
            if highest < lowest:
                best, lowest, kept = draft, highest, pairs
            if lowest < _MAX_SIMILARITY:
                break
        for key in (shelf, best.opening):
            self._earlier[community, key].append(kept)
        self._openings[community].add(best.sentences[0])
        return best

    def _compose(self, kind: str, topic: str, second: str | None) -> Draft:
        words = TOPICS[topic]
        slots = draw_slots(self._rng, activity=words.activities, things=words.things, chore=words.chores)
        slots["other"] = words.activities[words.activities.index(slots["activity"]) - 1]
        first, *others = self._rng.permutation(len(words.details)).tolist()
        middle = [words.details[number] for number in (first, *others[: int(self._rng.integers(2))])]
        if second:
            more = TOPICS[second]
            slots = draw_slots(self._rng, second=more.activities, second_things=more.things) | slots
            middle[1:] = [one_of(_CLOSINGS["bridge"], self._rng)]
        frame = (
            one_of(_OPENINGS[kind], self._rng),
            *middle,
            one_of(_CLOSINGS[_CLOSING.get(kind, kind)], self._rng),
        )
        subjects = [gap for gap in ("{activity}", "{things}", "{chore}") if gap in frame[0]]
        titles = [title for title in _TITLES[kind] if any(gap in title for gap in subjects)]
        return fill(one_of(titles, self._rng), frame, slots)


def draw_slots(rng: Rng, **more: Words) -> dict[str, str]:
    """A word for every gap of the frames, and for the caller's own gaps."""
    lists = _SLOTS | more
    rolls = rng.random(len(lists)).tolist()
    return {name: words[int(roll * len(words))] for (name, words), roll in zip(lists.items(), rolls, strict=True)}


def one_of(words: Sequence[str], rng: Rng) -> str:
    """One of them at random."""
    return words[int(rng.integers(len(words)))]


def fill(title: str, frame: Words, slots: dict[str, str]) -> Draft:
    """Frames with their gaps filled."""
    filled = [part.format_map(slots) for part in (title, *frame)]
    filled = [part[0].upper() + part[1:] for part in filled]
    return Draft(filled[0], tuple(filled[1:]), frame[0])


def similarity(pairs: set[str], others: set[str]) -> float:
    """The Jaccard similarity of two sets of word pairs."""
    shared = len(pairs & others)
    return shared / max(1, len(pairs) + len(others) - shared)
