using ArchUnitNET.xUnit;
using static ArchUnitNET.Fluent.ArchRuleDefinition;

namespace Qcow2Stream.Tests.House;

/// <summary>The library's rooms: what is in them, and which of them uses which.</summary>
public sealed class RoomTests
{
    private static readonly Type[] Facades =
    [
        typeof(Qcow2Chain), typeof(Qcow2ChainStream), typeof(MapEnumerator), typeof(ImageInfo), typeof(ImageCheck), typeof(ImageInspection),
        typeof(HeaderDump), typeof(Qcow2Disk), typeof(Qcow2DiskLayer), typeof(LuksVolume),
    ];

    /// <summary>Each room that has others to its right.</summary>
    public static TheoryData<string> RoomsWithOthersToTheRight => [.. Rooms.Order[..^1]];

    public static TheoryData<string> RoomsWithoutPlugin => [.. Rooms.Order.Except([Rooms.Plugin])];

    [Theory]
    [MemberData(nameof(RoomsWithOthersToTheRight))]
    public void Room_UsesRoomsToItsLeftOnly(string room)
    {
        string[] right = Rooms.Order[(Array.IndexOf(Rooms.Order, room) + 1)..];
        Rooms.TypesIn(room).Should().NotDependOnAny(Rooms.TypesIn(right))
            .Because($"{room} is to the left of {string.Join(", ", right)}")
            .Check(Rooms.Architecture);
    }

    [Theory]
    [MemberData(nameof(RoomsWithoutPlugin))]
    public void Room_UsesNoFacade(string room) =>
        Rooms.TypesIn(room).Should().NotDependOnAny(Facades)
            .Because("facades are made of rooms, and not the other way round")
            .Check(Rooms.Architecture);

    [Fact]
    public void Shared_UsesNothingOfTheLibrary() =>
        Rooms.SharedTypes().Should().NotDependOnAny(Rooms.LibraryTypes().And().DoNotResideInNamespaceOrBelow("Shared"))
            .Because("other assemblies have it too, and not the library's internals")
            .Check(Rooms.Architecture);

    [Fact]
    public void Root_HasPublicTypesOnly() =>
        Rooms.TypesAtTheRoot().And().AreNotNested().Should().BePublic()
            .Because("what is internal belongs in a room")
            .Check(Rooms.Architecture);

    [Fact]
    public void PublicTypes_AreAtTheRoot() =>
        Rooms.LibraryTypes().And().ArePublic().And().AreNotNested().Should().Be(Rooms.TypesAtTheRoot())
            .Because("the root is what the library's users see")
            .Check(Rooms.Architecture);

    [Theory]
    [MemberData(nameof(RoomsWithOthersToTheRight))]
    [InlineData(Rooms.Plugin)]
    public void Room_HasInternalTypesOnly(string room) =>
        Rooms.TypesIn(room).And().AreNotNested().Should().BeInternal()
            .Because("rooms are nobody's API")
            .Check(Rooms.Architecture);

    /// <summary>The order above is of all rooms that there are.</summary>
    [Fact]
    public void EveryType_IsAtTheRootOrInARoomThatHasItsPlace() =>
        Rooms.LibraryTypes().And().DoNotResideInNamespaceOrBelow("Shared").Should().Be(
            Types().That().Are(Rooms.TypesAtTheRoot()).Or().Are(Rooms.TypesIn(Rooms.Order)))
            .Because("a new room needs a place in the order")
            .Check(Rooms.Architecture);
}
