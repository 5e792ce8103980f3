"""What people say into an answer, meant for it or for others, in some situations.

Thresholds are chosen on the first group of situations and sentences alone; the held-out group shows what they are worth
where nothing was tuned.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Situation:
    """An answer in mid-sentence, and what its listener may say into it."""

    name: str
    question: str
    thoughts: str
    spoken: str
    sayings: tuple[str, ...]


SITUATIONS = (
    Situation(
        "train",
        "A train travels sixty kilometers in forty-five minutes. How fast is it going?",
        "\nTo find the speed, divide the distance by the time. The distance is 60 kilometers. The time is 45 minutes, "
        "which is 45 / 60 = 0.75 hours. So the speed is 60 / 0.75",
        "I am dividing the distance by the time. Forty-five minutes are three quarters",
        (
            "Sorry, I meant ninety kilometers.",
            "No, it was fifty minutes.",
            "In miles per hour, please.",
            "It stops twice on the way.",
            "How far does it get in two hours?",
            "The distance is wrong.",
            "It takes an hour, actually.",
            "Can you say that more slowly?",
            "And what about a car?",
            "Use meters per second instead.",
            "It's a freight train.",
            "The train leaves at noon.",
            "The other train.",
            "My daddy's train, the fast one.",
        ),
    ),
    Situation(
        "tides",
        "Please explain, in a few sentences, why the sea has tides.",
        "\nThe tides are caused by the gravity of the moon and the sun. First, the moon pulls the water on the near "
        "side more strongly than the earth as a whole. Second, on the far side",
        "I am thinking about how the moon pulls the water. The sea rises where",
        (
            "Why are there two a day?",
            "I mean the Mediterranean.",
            "Keep it simple, it's for a child.",
            "What does the sun do?",
            "Leave out the sun.",
            "No, I asked about waves.",
            "Is it the same in lakes?",
            "I already know about the moon.",
            "That doesn't make sense.",
            "Use an example from France.",
            "And the weather?",
        ),
    ),
)
FOR_OTHERS = (
    "Darling, could you turn the oven off?",
    "Lunch is ready, everyone!",
    "Dad, look what I found!",
    "The chancellor met union leaders in Berlin this morning.",
    "I have to go, talk to you later.",
    "Stay tuned, we'll be right back after this.",
    "Who left the window open?",
    "Give it back, that's mine!",
    "Hello, Peter, come in, come in.",
    "The match ended in a draw.",
    "Good boy, sit!",
    "Somebody's at the door.",
    "I'll call you back tonight.",
    "Are you coming to bed?",
    "My mother is visiting on Sunday.",
    "Kids, put your shoes on.",
    "And the winner is the lady from Ohio.",
    "What do you want for dinner, honey?",
    "Ladies and gentlemen, please welcome our next guest.",
    "I told him to bring wine.",
)

HELD_OUT_SITUATIONS = (
    Situation(
        "pancakes",
        "How much flour do I need for pancakes for six people?",
        "\nA common recipe uses 200 grams of flour for three people. For six people, double it: 200 * 2",
        "I am scaling a common recipe. For three people it takes two hundred grams",
        (
            "Make that eight people.",
            "Half of them are children.",
            "What about the milk?",
            "We only have oat flour.",
            "In cups, please.",
            "No eggs, she's allergic.",
            "Can I use yeast?",
            "They should be thick.",
            "And how long do they fry?",
            "Savory ones, with cheese.",
        ),
    ),
    Situation(
        "heating",
        "Help me write a short message to my landlord about the broken heating.",
        "\nThe message should be polite and short. It should say what is broken, since when, and ask for a repair. "
        "First sentence: Dear Mr. Smith, the heating in",
        "I am thinking about what it should say. It begins with what is broken and",
        (
            "It's been cold since Monday.",
            "Her name is Mrs. Keller.",
            "Make it more formal.",
            "Add my phone number.",
            "Can you put it in German?",
            "And mention the rent.",
            "Just the bathroom radiator.",
            "A bit shorter, please.",
            "He never answers his phone.",
            "Should I threaten to sue?",
        ),
    ),
    Situation(
        "battery",
        "Why does my phone battery drain so fast?",
        "\nCommon causes are the screen brightness, apps in the background, a weak signal, and an old battery. First, "
        "the screen: it uses the most energy. Second, apps",
        "I am going through the usual causes. The screen takes the most power, and",
        (
            "It's an old one, from my brother.",
            "Is the charger to blame?",
            "I already turned that down.",
            "What about the apps?",
            "It gets hot, too.",
            "Mostly at night.",
            "Would a new one help?",
            "It started after the update.",
            "Talk about the camera instead.",
            "How do I check that?",
        ),
    ),
)
HELD_OUT_FOR_OTHERS = (
    "Tonight's top story, wildfires are spreading across the south.",
    "And he shoots, what a save by the goalkeeper!",
    "Previously on the show.",
    "Call within the next ten minutes and get another one free.",
    "The forecast for tomorrow is sunny with a light breeze.",
    "Yes, I'd like to book a table for Friday evening.",
    "Can you hear me? The line is bad.",
    "I'm on my way, the bus was late.",
    "Tell her I said hello.",
    "Sure, send it to my work address.",
    "Did you feed the cat?",
    "Turn that music down, please!",
    "Where did you put the scissors?",
    "Your sister is at the station already.",
    "Sweetheart, it's time for your bath.",
    "The meeting has moved to the big conference room.",
    "Could someone refill the printer?",
    "Has anybody seen the client's contract?",
    "I'll be at lunch if you need me.",
    "Let's ask Martin, he wrote that report.",
)
